using System.Globalization;
using CsCheck;

namespace Muster.Core.Tests.Values;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("512", 512)]
    [InlineData("1k", 1000)]
    [InlineData("1K", 1000)]
    [InlineData("1Ki", 1024)]
    [InlineData("512M", 512_000_000)]
    [InlineData("512Mi", 536_870_912)]
    [InlineData("1.5Gi", 1_610_612_736)]
    [InlineData("1m", 1)]
    [InlineData("1500m", 2)]
    [InlineData("7Ei", 8_070_450_532_247_928_832)]
    public void Reads_bytes_rounded_up(string text, long bytes) => Quantity.ParseBytes(text, "--memory").Should().Be(bytes);

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 M")]
    [InlineData("1,5M")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("1Zi")]
    [InlineData("1MB")]
    [InlineData("8Ei")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999999999999999999999")]
    [InlineData("NaN")]
    public void Refuses_what_is_no_amount(string text)
    {
        Quantity.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => Quantity.ParseBytes(text, "--memory")).Should().Throw<MusterException>()
            .Where(e => e.Kind == ErrorKind.Usage).WithMessage("--memory*");
    }

    [Fact]
    public void Reads_every_whole_number_exactly() => Gen.Long[0, long.MaxValue].Sample(n => Quantity.ParseBytes(n.ToString(CultureInfo.InvariantCulture), "n") == n);

    [Fact]
    public void Never_gives_what_a_long_cannot_hold() => Gen.String[Gen.Char["0123456789.mkKMGTPEi-"], 0, 30].Sample(text =>
        !Quantity.TryParse(text, out var value) || (value >= 0 && value <= long.MaxValue && Quantity.ParseBytes(text, "n") >= value));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(63_100_000, "63.1 MB")]
    [InlineData(123_456_789_012, "123 GB")]
    public void Writes_sizes_for_people(long bytes, string text) => Quantity.FormatBytes(bytes).Should().Be(text);

    [Theory]
    [InlineData(0, "0 images")]
    [InlineData(1, "1 image")]
    [InlineData(2, "2 images")]
    public void Counts_one_thing_in_the_singular(int number, string text) => Quantity.Counted(number, "image").Should().Be(text);
}
