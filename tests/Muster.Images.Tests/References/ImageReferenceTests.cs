using CsCheck;
using Muster.Fuzz;

namespace Muster.Images.Tests.References;

public sealed class ImageReferenceTests
{
    private const string Characters = "abz019.:-_/@,=~[]";

    private static readonly string[] Prefixes = ["docker://", "oci:", "oci-archive:", "docker-archive:", "", "./", "file:///", "https://", "sha512-", "sha256:"];

    [Theory]
    [InlineData("docker://busybox", ReferenceKind.Docker, "docker://busybox:latest")]
    [InlineData("docker://localhost:5000/a/b:1", ReferenceKind.Docker, "docker://localhost:5000/a/b:1")]
    [InlineData("docker://[::1]:5000/a", ReferenceKind.Docker, "docker://[::1]:5000/a:latest")]
    [InlineData("docker://r.io/a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ReferenceKind.Docker, "docker://r.io/a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("oci:/a/b/:x", ReferenceKind.OciLayout, "oci:/a/b:x")]
    [InlineData("oci:/a/../c", ReferenceKind.OciLayout, "oci:/c")]
    [InlineData("oci-archive:/f.tar:app:1", ReferenceKind.OciArchive, "oci-archive:/f.tar:app:1")]
    [InlineData("docker-archive:/f.tar:localhost/app:1", ReferenceKind.DockerArchive, "docker-archive:/f.tar:localhost/app:1")]
    [InlineData("/dir/x.aci", ReferenceKind.AciFile, "file:/dir/x.aci")]
    [InlineData("file:///dir/x", ReferenceKind.AciFile, "file:/dir/x")]
    [InlineData("https://example.com/x.aci", ReferenceKind.AciUrl, "https://example.com/x.aci")]
    [InlineData("example.com/app:1.0,os=linux,arch=amd64", ReferenceKind.AciName, "example.com/app:1.0,arch=amd64,os=linux")]
    [InlineData("example.com/app,version=2", ReferenceKind.AciName, "example.com/app:2")]
    [InlineData("sha512-ab12", ReferenceKind.Id, "sha512-ab12")]
    [InlineData("sha256:ab12", ReferenceKind.Id, "sha256-ab12")]
    public void Reads_and_normalises(string text, ReferenceKind kind, string normal)
    {
        var reference = ImageReference.Parse(text);
        reference.Kind.Should().Be(kind);
        reference.ToString().Should().Be(normal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Upper")]
    [InlineData("a..b")]
    [InlineData("name:1:2")]
    [InlineData("name,label")]
    [InlineData("name,name=x")]
    [InlineData("name:1,version=2")]
    [InlineData("name,a=1,a=2")]
    [InlineData("ftp://host.io/x.aci")]
    [InlineData("docker://Host.io/Upper")]
    [InlineData("docker://")]
    [InlineData("docker://host.io/a:.bad")]
    [InlineData("docker://host:99999/a")]
    [InlineData("docker://user@host.io/a")]
    [InlineData("oci:")]
    [InlineData("oci::tag")]
    [InlineData("oci:dir:-tag")]
    [InlineData("http://")]
    [InlineData("https://user:password@host/x")]
    [InlineData("file://host/x")]
    [InlineData("a\nb")]
    public void Refuses_what_is_no_reference(string text) => ImageReference.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void Has_a_normal_form_that_reads_back() =>
        Gen.Select(Gen.Int[0, Prefixes.Length - 1].Select(i => Prefixes[i]), Gen.Int[0, Characters.Length - 1].Select(i => Characters[i]).Array[0, 40].Select(c => new string(c)))
            .Sample((prefix, rest) => ReferenceTarget.Run(System.Text.Encoding.UTF8.GetBytes(prefix + rest)), iter: 20_000);

    [Fact]
    public void Survives_any_bytes() => Gen.Byte.Array[0, 60].Sample(bytes => ReferenceTarget.Run(bytes), iter: 5000);

    [Fact]
    public void Gives_different_references_different_file_names()
    {
        StorePaths.Escape("a/b").Should().NotBe(StorePaths.Escape("a%2Fb"));
        StorePaths.Escape(new string('x', 5000)).Length.Should().BeLessThan(200);
        StorePaths.Escape("..").Should().NotContain("..");
    }
}
