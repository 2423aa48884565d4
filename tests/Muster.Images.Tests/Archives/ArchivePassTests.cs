using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Tests.Archives;

public sealed class ArchivePassTests : IDisposable
{
    private readonly ImageRoot _root = new();

    [Theory]
    [InlineData("cat", CompressionKind.None)]
    [InlineData("gzip -c", CompressionKind.Gzip)]
    [InlineData("bzip2 -c", CompressionKind.Bzip2)]
    [InlineData("xz -c", CompressionKind.Xz)]
    [InlineData("zstd -qc", CompressionKind.Zstd)]
    public void Hashes_both_sides_of_every_compression(string tool, CompressionKind kind)
    {
        _root.Shell($"seq 1 200000 > plain && {tool} < plain > packed && {tool} < plain > twice && cat packed >> twice");
        var result = Run(File.ReadAllBytes(_root.Path1("packed")));
        result.Compression.Should().Be(kind);
        result.Stored.Hex.Should().Be(_root.Shell("sha256sum packed")[..64]);
        result.Content.Hex.Should().Be(_root.Shell("sha256sum plain")[..64]);
        Run(File.ReadAllBytes(_root.Path1("twice"))).ContentSize.Should().Be(2 * result.ContentSize, "concatenated streams are one");
    }

    [Theory]
    [InlineData("gzip -c")]
    [InlineData("bzip2 -c")]
    [InlineData("xz -c")]
    [InlineData("zstd -qc")]
    public void Refuses_compressed_data_that_is_cut_off_or_damaged(string tool)
    {
        _root.Shell($"seq 1 200000 | {tool} > packed");
        var packed = File.ReadAllBytes(_root.Path1("packed"));
        foreach (var length in new[] { packed.Length / 2, packed.Length - 1, 12 })
        {
            ((Action)(() => Run(packed[..length]))).Should().Throw<MusterException>("cut at {0} of {1}", length, packed.Length).Which.Kind.Should().Be(ErrorKind.Corrupt, "cut at {0} of {1}", length, packed.Length);
        }

        packed[packed.Length / 2] ^= 0x55;
        packed[(packed.Length / 2) + 1] ^= 0x55;
        ((Action)(() => Run(packed))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Corrupt);
    }

    [Fact]
    public void Decompresses_zstd_without_the_library_as_with_it()
    {
        _root.Shell("seq 1 200000 > plain && zstd -q plain");
        using var managed = ZstdStream.Managed(File.OpenRead(_root.Path1("plain.zst")));
        using var content = new MemoryStream();
        managed.CopyTo(content);
        content.ToArray().Should().Equal(File.ReadAllBytes(_root.Path1("plain")));
    }

    [Fact]
    public void Stops_a_decompression_bomb()
    {
        _root.Shell("head -c 20000000 /dev/zero | zstd -qc19 > bomb");
        var limits = TarLimits.Default with { RatioGraceBytes = 1 << 20 };
        ((Action)(() => ArchivePass.Run(File.OpenRead(_root.Path1("bomb")), -1, 1 << 20, "sha256", null, _ => { }, limits, default)))
            .Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }

    [Fact]
    public void Stops_reading_what_is_longer_than_announced() =>
        ((Action)(() => ArchivePass.Run(new MemoryStream(new byte[1000]), -1, 999, "sha256", null, _ => { }, TarLimits.Default, default)))
            .Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Corrupt);

    [Fact]
    public async Task Stops_a_bomb_in_an_archive_of_archives_before_it_fills_the_disk()
    {
        _root.Shell("head -c 4000000 /dev/zero | gzip > bomb.gz");
        using var pending = await _root.Store.BeginAsync(TestContext.Current.CancellationToken);
        var open = () => TarIndex.Open(_root.Path1("bomb.gz"), pending, TarLimits.Default with { RatioGraceBytes = 1_000_000, MaxRatio = 100 });
        open.Should().Throw<MusterException>().WithMessage("*decompression bomb*");
    }

    [Fact]
    public void Hands_on_the_failure_of_any_step()
    {
        var big = new byte[20_000_000];
        ((Action)(() => ArchivePass.Run(new MemoryStream(big), -1, long.MaxValue, "sha256", null, _ => throw new InvalidTimeZoneException("unpack"), TarLimits.Default, default)))
            .Should().Throw<InvalidTimeZoneException>();
        ((Action)(() => ArchivePass.Run(new MemoryStream(big), -1, long.MaxValue, "sha256", _ => throw new InvalidTimeZoneException("tap"), _ => { }, TarLimits.Default, default)))
            .Should().Throw<InvalidTimeZoneException>();
    }

    [Fact]
    public async Task Stops_when_it_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var pass = Task.Run(() => ArchivePass.Run(new Endless(), -1, long.MaxValue, "sha256", null, _ => { }, TarLimits.Default, stop.Token));
        await stop.CancelAsync();
        await ((Func<Task>)(() => pass.WaitAsync(TimeSpan.FromSeconds(10)))).Should().ThrowAsync<OperationCanceledException>();
    }

    public void Dispose() => _root.Dispose();

    private static PassResult Run(byte[] data) => ArchivePass.Run(new MemoryStream(data), -1, data.Length, "sha256", null, _ => { }, TarLimits.Default, default);

    private sealed class Endless : MemoryStream
    {
        public override int Read(Span<byte> buffer) => buffer.Length;

        public override int Read(byte[] buffer, int offset, int count) => count;
    }
}
