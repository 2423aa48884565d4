using System.Security.Cryptography;
using System.Text;
using CsCheck;

namespace Muster.Core.Tests.Values;

public sealed class DigestTests
{
    [Fact]
    public void Hashes_as_the_standard_says() =>
        Digest.Sha256("abc"u8).ToString().Should().Be("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    [Fact]
    public void Reads_back_what_it_writes_in_both_forms() => Gen.Byte.Array[0, 100].Sample(data =>
    {
        foreach (var digest in new[] { Digest.Sha256(data), Digest.FromHash("sha512", SHA512.HashData(data)) })
        {
            Digest.Parse(digest.ToString()).Should().Be(digest);
            Digest.Parse(digest.FileName).Should().Be(digest);
            digest.FileName.Should().NotContainAny(":", "/");
        }
    });

    [Theory]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:ba78")]
    [InlineData("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../etc/pass")]
    [InlineData("sha256_ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")]
    [InlineData("md5:900150983cd24fb0d6963f7d28e17f72")]
    public void Refuses_what_is_no_digest(string text)
    {
        Digest.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => Digest.Parse(text)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid);
    }

    [Fact]
    public void Takes_only_text_that_it_would_write() => Gen.OneOf(Gen.String, Gen.String[Gen.Char["sha25612:-0f"], 60, 80]).Sample(text =>
        !Digest.TryParse(text, out var digest) || digest.ToString() == text || digest.FileName == text);

    [Fact]
    public void Refuses_null() => Digest.TryParse(null, out _).Should().BeFalse();

    [Fact]
    public void Is_equal_by_value() => Digest.Sha256(Encoding.UTF8.GetBytes("a")).Should().Be(Digest.Sha256("a"u8)).And.NotBe(Digest.Sha256("b"u8));
}
