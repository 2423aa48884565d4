using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Tests.Aci;

public sealed class AciImportTests : IDisposable
{
    private readonly ImageRoot _root = new();

    [Fact]
    public async Task Has_the_hash_of_the_uncompressed_archive_as_its_id_whatever_the_compression()
    {
        var file = _root.Aci("a.aci", Manifest("example.com/a"), ("bin/app", "x"));
        var id = "sha512-" + _root.Shell("sha512sum a.aci")[..128];
        _root.Shell("gzip -k a.aci; xz -k a.aci; bzip2 -k a.aci; zstd -qk a.aci; mv a.aci.gz gz.aci; mv a.aci.xz xz.aci; mv a.aci.bz2 bz2.aci; mv a.aci.zst zst.aci");
        foreach (var name in new[] { "a", "gz", "xz", "bz2", "zst" })
        {
            (await _root.FetchAsync(_root.Path1(name + ".aci"))).Record.Id.Should().Be(id);
        }

        Directory.EnumerateDirectories(_root.Root.Images + "/trees").Should().ContainSingle();
        _root.Store.Find("example.com/a")!.Record.Id.Should().Be(id);
        _root.Store.Find("example.com/a:1.0")!.Record.Id.Should().Be(id);
        _root.Store.Find("example.com/a:1.0,os=linux")!.Record.Id.Should().Be(id);
        _root.Store.Find("example.com/a:2.0").Should().BeNull();
        _root.Store.Find(id[..12])!.Record.Id.Should().Be(id);
        _root.Store.Find(id[7..20])!.Record.Id.Should().Be(id);
        File.ReadAllText(_root.Store.LowerDirectories(_root.Store.Find(file)!.Record)[0] + "/bin/app").Should().Be("x");
        _root.ShouldBeClean();
    }

    [Fact]
    public async Task A_link_of_the_users_own_is_as_good_as_the_file()
    {
        _root.Aci("a.aci", Manifest("example.com/a"), ("bin/app", "x"));
        _root.Layout("lay", "mkdir bin && echo app > bin/app");
        _root.Shell("ln -s a.aci link.aci && ln -s lay folder && tar -C lay -cf lay.tar . && gzip -k lay.tar && ln -s lay.tar link.tar && ln -s lay.tar.gz link.tar.gz");
        (await _root.FetchAsync(_root.Path1("link.aci"))).Record.Name.Should().Be("example.com/a");
        var image = await _root.FetchAsync("oci:" + _root.Path1("folder:latest"));
        (await _root.FetchAsync("oci-archive:" + _root.Path1("link.tar:latest"))).Record.Id.Should().Be(image.Record.Id);
        (await _root.FetchAsync("oci-archive:" + _root.Path1("link.tar.gz:latest"))).Record.Id.Should().Be(image.Record.Id);
        ArchiveKinds.Recognise(_root.Path1("link.tar")).Should().Be("oci-archive");
        ArchiveKinds.Recognise(_root.Path1("link.aci")).Should().BeEmpty("an App Container image is what else there is");
    }

    [Fact]
    public async Task A_link_in_a_layout_is_named_and_not_followed()
    {
        _root.Layout("lay", "mkdir bin && echo app > bin/app");
        _root.Shell("mv lay/blobs/sha256 blobs && mkdir lay/blobs/sha256 && cd lay/blobs/sha256 && for b in ../../../blobs/*; do ln -s $b .; done");
        (await ((Func<Task>)(() => _root.FetchAsync("oci:" + _root.Path1("lay:latest")))).Should().ThrowAsync<MusterException>())
            .Which.Message.Should().Contain("lay/blobs/sha256/").And.Contain("is a symbolic link");
    }

    [Theory]
    [InlineData("rootfs manifest other", "beside manifest and rootfs")]
    [InlineData("manifest", "no rootfs")]
    [InlineData("rootfs", "no manifest")]
    [InlineData("rootfs manifest manifest", "manifest is not one")]
    [InlineData("rootfs manifest rootfs/file", "twice")]
    public async Task Refuses_an_archive_of_another_shape(string members, string says)
    {
        _root.Write("s/manifest", Manifest("example.com/a"));
        _root.Write("s/other", "x");
        _root.Write("s/rootfs/file", "x");
        _root.Shell($"tar -C s --hard-dereference -cf bad.aci {members}");
        (await Refused("bad.aci")).Message.Should().Contain(says);
        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Refuses_every_cut_of_an_archive_and_leaves_nothing()
    {
        var archive = File.ReadAllBytes(_root.Aci("a.aci", Manifest("example.com/a"), ("bin/app", new string('x', 5000)), ("etc/conf", "y")));
        var end = Array.FindLastIndex(archive, b => b != 0);
        for (var length = 0; length < end; length += 700)
        {
            File.WriteAllBytes(_root.Path1("cut.aci"), archive[..length]);
            (await Refused("cut.aci")).Kind.Should().BeOneOf(ErrorKind.Corrupt, ErrorKind.Invalid);
        }

        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Refuses_an_unsigned_image_unless_told_otherwise()
    {
        var file = _root.Aci("a.aci", Manifest("example.com/a"));
        var fetch = () => new ImageFetcher(_root.Store).ResolveAsync(file, new FetchOptions(), TestContext.Current.CancellationToken);
        (await fetch.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Forbidden);
        _root.ShouldBeEmpty();
        (await _root.FetchAsync(file)).Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure);

        // What was let in unverified does not count where a signature is asked for.
        (await fetch.Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Forbidden);
    }

    [Fact]
    public async Task Renders_dependencies_in_the_order_of_the_specification()
    {
        // A upon [B, C], C upon [D]: the order of overriding is B, D, C, A.
        await FetchAci("b", "", ("all", "b"), ("bd", "b"), ("bdc", "b"), ("only-b", "b"), ("folder/in-b", "b"), ("swap/b", "b"));
        await FetchAci("d", "", ("all", "d"), ("bd", "d"), ("bdc", "d"), ("only-d", "d"), ("folder/in-d", "d"));
        await FetchAci("c", Depends("d"), ("all", "c"), ("bdc", "c"), ("swap", "c"));
        var a = await FetchAci("a", Depends("b", "c"), ("all", "a"));
        var tree = _root.Store.LowerDirectories(a.Record).Should().ContainSingle().Subject;
        Read(tree, "all").Should().Be("a");
        Read(tree, "bd").Should().Be("d");
        Read(tree, "bdc").Should().Be("c");
        Read(tree, "only-b").Should().Be("b");
        Read(tree, "only-d").Should().Be("d");
        Read(tree, "folder/in-b").Should().Be("b");
        Read(tree, "folder/in-d").Should().Be("d");
        Read(tree, "swap").Should().Be("c");
        a.Record.Trees[0].Should().StartWith("deps-").And.HaveLength(69);
        (await new ImageVerifier(_root.Store).VerifyAsync(a.Record, null, TestContext.Current.CancellationToken)).Should().BeEmpty();
    }

    [Fact]
    public async Task Keeps_only_what_the_white_lists_name()
    {
        await FetchAci("base", "", ("etc/keep", "1"), ("etc/drop", "1"), ("lone/file", "1"));
        var image = await FetchAci("top", Depends("base") + ",\"pathWhitelist\":[\"/etc\",\"/etc/keep\",\"/lone/file\",\"/own\"]", ("own", "1"), ("own-drop", "1"), ("own-folder/drop", "1"));
        var tree = _root.Store.LowerDirectories(image.Record)[0];
        Directory.EnumerateFileSystemEntries(tree, "*", SearchOption.AllDirectories).Select(p => p[(tree.Length + 1)..])
            .Should().BeEquivalentTo(["etc", "etc/keep", "lone", "lone/file", "own", "own-folder"]);
    }

    [Fact]
    public async Task Refuses_dependencies_that_go_in_circles_or_are_missing()
    {
        _root.Aci("self.aci", Manifest("example.com/self", Depends("self")));
        (await Refused("self.aci")).Message.Should().Contain("depends on itself");
        _root.Aci("lost.aci", Manifest("example.com/lost", Depends("nowhere").Replace("example.com/", "", StringComparison.Ordinal)));
        (await Refused("lost.aci")).Kind.Should().Be(ErrorKind.NotFound);
        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Exports_the_archive_as_it_came_and_as_an_image_that_skopeo_and_umoci_read()
    {
        var image = await FetchAci("app", "", ("bin/app", "x"));
        var export = new ImageExport(_root.Store);
        await export.ToAsync(image, ImageReference.Parse(_root.Path1("out.aci")), false, true, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);
        _root.Shell("zcat out.aci | cmp - app.aci");
        await export.ToAsync(image, ImageReference.Parse("oci:" + _root.Path1("out:1")), false, false, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);
        _root.Shell("skopeo inspect oci:out:1 && umoci unpack --image out:1 bundle && test \"$(cat bundle/rootfs/bin/app)\" = x && grep -q /bin/app bundle/config.json");
        (await ((Func<Task>)(() => export.ToAsync(image, ImageReference.Parse(_root.Path1("out.aci")), false, true, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken)))
            .Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Conflict);
    }

    [Fact]
    public async Task Gives_the_same_OCI_image_whenever_it_was_imported_and_keeps_what_annotations_mean()
    {
        var image = await FetchAci("app", """, "annotations": [{"name":"authors","value":"Anna"},{"name":"homepage","value":"https://example.com/"},{"name":"example.com/own","value":"1"}]""", ("bin/app", "x"));
        await ExportAsync(_root.Store, image, "oci:" + _root.Path1("one:1"));
        using var other = new ImageRoot();
        var later = await other.FetchAsync(_root.Path1("app.aci"));
        await ExportAsync(other.Store, new StoredImage(later.Record with { ImportedAt = image.Record.ImportedAt.AddDays(1) }, later.Reference), "oci:" + _root.Path1("two:1"));
        _root.Shell("cmp one/index.json two/index.json");
        _root.Shell("skopeo inspect --raw oci:one:1 | grep -F '\"org.opencontainers.image.authors\":\"Anna\"' | grep -F '\"org.opencontainers.image.url\":\"https://example.com/\"' | grep -F '\"example.com/own\":\"1\"'");
    }

    [Theory]
    [InlineData("\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"64M\"}}]", "resource/memory")]
    [InlineData("\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/bin/pre\"]}]", "pre-start")]
    [InlineData("\"supplementaryGIDs\":[5]", "supplementary")]
    [InlineData("\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\",\"readOnly\":true}]", "data")]
    public async Task Refuses_to_leave_out_what_an_OCI_image_cannot_say(string member, string named)
    {
        var image = await _root.FetchAsync(_root.Aci("app.aci", Manifest("example.com/app").Replace("\"user\"", member + ",\"user\"", StringComparison.Ordinal), ("bin/app", "x")));
        var export = () => ExportAsync(_root.Store, image, "oci:" + _root.Path1("out:1"));
        (await export.Should().ThrowAsync<MusterException>()).Which.Should().Match<MusterException>(e => e.Kind == ErrorKind.Unsupported && e.Message.Contains(named));
        Directory.Exists(_root.Path1("out")).Should().BeFalse();
    }

    [Fact]
    public async Task Takes_no_pipe_and_no_device_for_an_image()
    {
        _root.Shell("mkfifo pipe.aci && ln -s /dev/zero zero.aci");
        (await Refused("pipe.aci")).Kind.Should().Be(ErrorKind.Invalid);
        (await Refused("zero.aci")).Message.Should().Contain("is not a regular file");
    }

    public void Dispose() => _root.Dispose();

    private static Task ExportAsync(ImageStore store, StoredImage image, string to) =>
        new ImageExport(store).ToAsync(image, ImageReference.Parse(to), false, false, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);

    private static string Manifest(string name, string more = "") =>
        $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{name}}","labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/bin/app"],"user":"0","group":"0"}{{more}}}""";

    private static string Depends(params string[] names) =>
        ",\"dependencies\":[" + string.Join(',', names.Select(n => $$"""{"imageName":"example.com/{{n}}"}""")) + "]";

    private static string Read(string tree, string path) => File.ReadAllText(tree + "/" + path);

    private Task<StoredImage> FetchAci(string name, string more, params (string, string)[] files) =>
        _root.FetchAsync(_root.Aci(name + ".aci", Manifest("example.com/" + name, more), files));

    private async Task<MusterException> Refused(string file) =>
        (await ((Func<Task>)(() => _root.FetchAsync(_root.Path1(file)))).Should().ThrowAsync<MusterException>()).Which;
}
