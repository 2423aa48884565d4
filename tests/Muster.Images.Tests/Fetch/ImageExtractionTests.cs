using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Tests.Fetch;

public sealed class ImageExtractionTests : IDisposable
{
    private const string Mounts = """
        21 1 8:1 / / rw - ext4 /dev/sda1 rw
        22 21 0:5 / /proc rw - proc proc rw
        23 21 0:6 / /srv/with\040blank/data rw - tmpfs tmpfs rw

        """;

    private readonly ImageRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("/", "host's own folders")]
    [InlineData("/etc", "host's own folders")]
    [InlineData("/home/me", "/home/me/work is in it")]
    [InlineData("/home/me/work", "/home/me/work is in it")]
    [InlineData("/srv/with blank", "mounted at /srv/with blank/data")]
    [InlineData("/srv/with blank/data", "mounted at /srv/with blank/data")]
    [InlineData("/home/me/work/out", null)]
    [InlineData("/home/me/wo", null)]
    [InlineData("/srv/with", null)]
    public void Keeps_folders_that_others_need(string folder, string? why)
    {
        var reason = ImageExtraction.WhyKept(folder, ["/home/me/work"], Mounts);
        if (why is null)
        {
            reason.Should().BeNull();
        }
        else
        {
            reason.Should().Contain(why);
        }
    }

    [Fact]
    public async Task Replaces_a_folder_when_told_and_never_the_store_itself()
    {
        var image = await _root.FetchAsync(_root.Aci("a.aci", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"}""", ("file", "new")));
        _root.Write("out/old", "old");
        Task Extract(string to) => ImageExtraction.ExtractAsync(_root.Store, image.Record, to, rendered: false, rootOnly: true, overwrite: true, TestContext.Current.CancellationToken);
        await Extract(_root.Path1("out"));
        Directory.EnumerateFileSystemEntries(_root.Path1("out")).Select(Path.GetFileName).Should().Equal("file");
        Directory.CreateDirectory(_root.Root.Pods);
        foreach (var folder in new[] { _root.Folder, _root.Root.Images, _root.Root.Pods })
        {
            (await ((Func<Task>)(() => Extract(folder))).Should().ThrowAsync<MusterException>()).WithMessage("*is not replaced*");
            _root.Store.List().Should().NotBeEmpty();
        }
    }

    [Fact]
    public async Task Takes_holes_as_holes_on_every_way()
    {
        // Some hundred bytes of an archive that stand for a gibibyte.
        _root.Write("s/manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"}""");
        _root.Shell("mkdir s/rootfs; truncate -s 1G s/rootfs/holes; printf data | dd of=s/rootfs/holes bs=1 seek=500000000 conv=notrunc status=none; tar -C s --sparse --format=pax -cf s.aci manifest rootfs");
        var image = await _root.FetchAsync(_root.Path1("s.aci"));
        await ImageExtraction.ExtractAsync(_root.Store, image.Record, _root.Path1("out"), rendered: false, rootOnly: true, overwrite: false, Ct);
        _root.Shell("stat -c %s out/holes").Should().Be("1073741824\n");
        long.Parse(_root.Shell("stat -c %b out/holes")).Should().BeLessThan(1000);
        _root.Shell("dd if=out/holes bs=1 skip=499999999 count=6 status=none | od -An -c | tr -d ' \\n'").Should().Be(@"\0data\0");

        // Archived for others it is dense, byte for byte, whether the file that it goes to has holes or not.
        using (var file = File.Create(_root.Path1("holes.tar")))
        {
            Archive(new TarWriter(file) { LeavesHoles = true });
        }

        using (var file = File.Create(_root.Path1("dense.tar")))
        {
            Archive(new TarWriter(file));
        }

        _root.Shell("cmp holes.tar dense.tar");
        long.Parse(_root.Shell("stat -c %b holes.tar")).Should().BeLessThan(1000);

        // A change behind a hole is a change.
        (await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, Ct)).Should().BeEmpty();
        _root.Shell($"touch -r {_root.Store.TreePath(image.Record.Id)}/holes time; printf D | dd of={_root.Store.TreePath(image.Record.Id)}/holes bs=1 seek=900000000 conv=notrunc status=none; touch -r time {_root.Store.TreePath(image.Record.Id)}/holes");
        (await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, Ct)).Should().ContainSingle().Which.Problem.Should().Be("/holes has other content");

        void Archive(TarWriter tar)
        {
            TreeArchiver.Write([_root.Path1("out")], tar, new ArchiveRules(), Ct);
            tar.Finish();
        }
    }

    [Fact]
    public void Stops_in_the_middle_of_a_file_when_it_is_told_to()
    {
        _root.Shell("mkdir t; truncate -s 64M t/big");
        using var stop = new CancellationTokenSource();
        using var output = new Stopping(stop);
        var write = () => TreeArchiver.Write([_root.Path1("t")], new TarWriter(output), new ArchiveRules(), stop.Token);
        write.Should().Throw<OperationCanceledException>();
        output.Written.Should().BeLessThan(8 << 20);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed class Stopping(CancellationTokenSource stop) : MemoryStream
    {
        public long Written { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Written += buffer.Length;
            if (Written > 1 << 20)
            {
                stop.Cancel();
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
