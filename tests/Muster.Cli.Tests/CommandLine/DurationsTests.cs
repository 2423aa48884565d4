using CsCheck;
using Muster.Core;
using Muster.Cli.CommandLine;

namespace Muster.Cli.Tests.CommandLine;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("90", 90)]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("250ms", 0.25)]
    [InlineData("7d", 604_800)]
    [InlineData("1.5h", 5400)]
    public void Reads_lengths_of_time(string text, double seconds) => Durations.Parse(text, "--wait").TotalSeconds.Should().Be(seconds);

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1w")]
    [InlineData("1 s")]
    [InlineData("1..5s")]
    [InlineData("999999999d")]
    public void Refuses_what_is_no_time(string text) => Refusals.Of(() => Durations.Parse(text, "--wait")).Should().StartWith("--wait");

    [Fact]
    public void Never_throws_anything_else() => Gen.String[Gen.Char["0123456789.smhd "], 0, 30].Sample(text =>
    {
        try
        {
            Durations.Parse(text, "--wait").Should().BeGreaterThanOrEqualTo(TimeSpan.Zero);
        }
        catch (Core.MusterException)
        {
        }
    }, iter: 5000);
}
