using Muster.TestKit;

namespace Muster.Linux.Tests.Compression;

public sealed class XzEncoderTests : IDisposable
{
    private const int Block = 100_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-xz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(Block, 1)]
    [InlineData(Block + 1, 2)]
    [InlineData(Block * 3, 3)]
    public void Xz_and_our_own_decoder_read_it_and_it_has_blocks(int size, int blocks)
    {
        var bytes = new byte[size];
        new Random(7).NextBytes(bytes);
        bytes.AsSpan(0, size / 2).Clear();
        var path = _folder + "/made.xz";
        using (var to = File.Create(path))
        {
            XzEncoder.Compress(new MemoryStream(bytes), to, preset: 1, Block);
        }

        var rows = ProgramRun.Of("xz", ["--robot", "--list", path]).Succeeded().Out.Split('\n').Single(l => l.StartsWith("file")).Split('\t');
        rows[2].Should().Be($"{blocks}");
        rows[4].Should().Be($"{size}");
        ProgramRun.Of("xz", ["-t", path]).Succeeded();
        using var file = File.OpenRead(path);
        using var decoded = new XzStream(file);
        var back = new MemoryStream();
        decoded.CopyTo(back);
        back.ToArray().Should().Equal(bytes);
    }
}
