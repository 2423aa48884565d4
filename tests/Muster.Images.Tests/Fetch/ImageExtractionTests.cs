using Muster.Core;

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
}
