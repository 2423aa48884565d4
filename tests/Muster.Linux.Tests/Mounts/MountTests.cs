namespace Muster.Linux.Tests.Mounts;

/// <summary>Paths as the kernel writes them in mountinfo.</summary>
public sealed class MountTests
{
    [Theory]
    [InlineData("/plain/path", "/plain/path")]
    [InlineData(@"/with\040space\011tab", "/with space\ttab")]
    [InlineData(@"/line\012end\134slash", "/line\nend\\slash")]
    [InlineData(@"/short\04", @"/short\04")]
    [InlineData(@"/none\899", @"/none\899")]
    public void Reads_octal_escapes(string written, string path) => Mount.Unescape(written).Should().Be(path);
}
