using System.Text.Json.Nodes;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci;
using Muster.Linux;

namespace Muster.Images.Tests.Oci;

public sealed class OciImportTests : IDisposable
{
    private readonly ImageRoot _root = new();

    [Fact]
    public async Task An_export_that_fails_leaves_no_half_of_a_layout()
    {
        var image = await _root.FetchAsync(_root.Layout("image", "echo hello > file"));
        var to = ImageReference.Parse("oci:" + _root.Path1("out") + ":1");
        Task Export() => new ImageExport(_root.Store).ToAsync(image, to, false, false, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);
        var layer = _root.Store.BlobPath(image.Record.Blobs[^1]);
        var whole = File.ReadAllBytes(layer);
        File.WriteAllBytes(layer, [.. whole[..^1], (byte)(whole[^1] ^ 1)]);
        await ((Func<Task>)Export).Should().ThrowAsync<MusterException>();
        Directory.Exists(_root.Path1("out")).Should().BeFalse();
        File.WriteAllBytes(layer, whole);
        await Export();
        File.WriteAllBytes(layer, whole[..^1]);
        File.Delete(_root.Path1("out/blobs/sha256/" + image.Record.Blobs[^1][7..]));
        await ((Func<Task>)Export).Should().ThrowAsync<MusterException>();
        File.Exists(_root.Path1("out/index.json")).Should().BeTrue("what was there before stays");
    }

    [Fact]
    public async Task Reads_what_umoci_skopeo_and_podman_write()
    {
        var reference = _root.Layout("lay", "mkdir bin && echo app > bin/app && ln bin/app bin/hard");
        var image = await _root.FetchAsync(reference);
        image.Record.App.Exec.Should().Equal("/bin/app");
        image.Record.App.DefaultArguments.Should().Equal("-v");
        image.Record.App.User.Should().Be("5");
        image.Record.App.Group.Should().Be("6");
        image.Record.App.WorkingDirectory.Should().Be("/srv");
        image.Record.App.Ports.Should().Equal(new PortSpec("80-tcp", "tcp", 80));
        image.Record.App.MountPoints.Should().Equal(new MountPoint("volume-data", "/data"));
        image.Record.App.Environment.Should().Contain(new NameValue("A", "b"));
        _root.Shell("P=$(mktemp -d /tmp/mpXXXX); trap 'rm -rf $P' EXIT; skopeo copy -q oci:lay:latest oci-archive:oa.tar:one && gzip -k oa.tar && skopeo copy -q oci:lay:latest docker-archive:da.tar:app:1 && skopeo copy -q oci:lay:latest oci:zst:x --dest-compress-format zstd"
            + " && podman --root $P/r --runroot $P/rr --storage-driver vfs pull -q oci:lay:latest && podman --root $P/r --runroot $P/rr --storage-driver vfs save -q --format docker-archive -o pd.tar $(podman --root $P/r --runroot $P/rr --storage-driver vfs images -q)"
            + " && podman --root $P/r --runroot $P/rr --storage-driver vfs save -q --format oci-archive -o po.tar $(podman --root $P/r --runroot $P/rr --storage-driver vfs images -q)");
        (await _root.FetchAsync("oci-archive:" + _root.Path1("oa.tar:one"))).Record.Id.Should().Be(image.Record.Id);
        (await _root.FetchAsync("oci-archive:" + _root.Path1("oa.tar.gz"))).Record.Id.Should().Be(image.Record.Id);
        foreach (var other in new[] { "docker-archive:" + _root.Path1("da.tar"), "docker-archive:" + _root.Path1("da.tar:app:1"), "docker-archive:" + _root.Path1("pd.tar"), "oci-archive:" + _root.Path1("po.tar"), "oci:" + _root.Path1("zst:x") })
        {
            var again = await _root.FetchAsync(other);
            again.Record.App.Should().BeEquivalentTo(image.Record.App, other);
            again.Record.Trees.Should().Equal(image.Record.Trees, "layers are shared by what is in them ({0})", other);
        }

        ArchiveKinds.Recognise(_root.Path1("po.tar")).Should().Be("oci-archive");
        ArchiveKinds.Recognise(_root.Path1("da.tar")).Should().Be("docker-archive");
        _root.Store.List().Should().HaveCount(8);
        _root.ShouldBeClean();
    }

    [Fact]
    public async Task Mounts_as_overlay_with_the_same_content_as_umoci_unpacks()
    {
        _root.Layout("lay", "mkdir -p keep gone opaque/in replaced && echo 1 > keep/a && echo 1 > keep/b && echo 1 > gone/x && echo 1 > opaque/in/y && echo 1 > replaced/z && echo 1 > swap");
        _root.Shell("mkdir more && cd more && mkdir -p opaque replaced.d && echo 2 > opaque/new && echo 2 > keep2 && cd .. && umoci insert --image lay:latest --opaque more/opaque /opaque && umoci insert --image lay:latest --whiteout /gone"
            + " && umoci insert --image lay:latest --whiteout /keep/b && mkdir s && echo 2 > s/f && umoci insert --image lay:latest --whiteout /swap && umoci insert --image lay:latest s /swap && umoci unpack --image lay:latest want");
        var image = await _root.FetchAsync("oci:" + _root.Path1("lay:latest"));
        _root.Shell($"mkdir up work got && mount -t overlay overlay -o lowerdir={string.Join(':', _root.Store.LowerDirectories(image.Record))},upperdir=up,workdir=work got");
        try
        {
            _root.Shell("diff -r want/rootfs got && test ! -e got/gone && test ! -e got/opaque/in && test ! -e got/keep/b && test -f got/swap/f");
        }
        finally
        {
            _root.Shell("umount got");
        }

        // The same through our own merge of the lowers.
        await ImageExtraction.ExtractAsync(_root.Store, image.Record, _root.Path1("merged"), rendered: true, rootOnly: true, overwrite: false, TestContext.Current.CancellationToken);
        _root.Shell("diff -r want/rootfs merged");
        (await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, TestContext.Current.CancellationToken)).Should().BeEmpty();
    }

    [Fact]
    public async Task Names_every_file_that_differs()
    {
        var image = await _root.FetchAsync(_root.Layout("lay", "echo 1 > content && echo 1 > mode && echo 1 > gone && ln -s a link && echo 1 > same"));
        var tree = _root.Store.LowerDirectories(image.Record)[0];
        var time = File.GetLastWriteTimeUtc(tree + "/content");
        File.WriteAllText(tree + "/content", "2\n");
        File.SetLastWriteTimeUtc(tree + "/content", time);
        _root.Shell($"chmod 4777 {tree}/mode && rm {tree}/gone && ln -sfn b {tree}/link && touch {tree}/added");
        File.AppendAllText(_root.Store.BlobPath(image.Record.Blobs[1]), " ");
        var findings = await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, TestContext.Current.CancellationToken);
        var told = string.Join('\n', findings.Select(f => f.Problem));
        told.Should().Contain("/content has other content").And.Contain("/mode has mode 4777").And.Contain("/gone is missing").And.Contain("/link points elsewhere").And.Contain("/added is not in the image").And.NotContain("/same");
        findings.Should().Contain(f => f.Part == image.Record.Blobs[1] && f.Problem == "has other content");
    }

    [Theory]
    [InlineData("blob gone")]
    [InlineData("tree gone")]
    [InlineData("blob damaged and tree gone")]
    public async Task What_the_disk_has_lost_is_fetched_again(string loss)
    {
        var reference = _root.Layout("lay", "echo content > file");
        var image = await _root.FetchAsync(reference);
        var layer = _root.Store.BlobPath(image.Record.Blobs[^1]);
        if (loss == "blob gone")
        {
            File.Delete(layer);
        }
        else
        {
            Directory.Delete(Path.GetDirectoryName(_root.Store.TreePath(image.Record.Trees[0]))!, recursive: true);
        }

        if (loss.StartsWith("blob damaged", StringComparison.Ordinal))
        {
            var content = File.ReadAllBytes(layer);
            content[^20] ^= 1;
            File.WriteAllBytes(layer, content);
        }

        image = await _root.FetchAsync(reference);
        (await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, TestContext.Current.CancellationToken)).Should().BeEmpty();
        _root.ShouldBeClean();
    }

    [Theory]
    [InlineData("layer byte", ErrorKind.Corrupt)]
    [InlineData("layer short", ErrorKind.Corrupt)]
    [InlineData("layer long", ErrorKind.Corrupt)]
    [InlineData("layer gone", ErrorKind.Corrupt)]
    [InlineData("config byte", ErrorKind.Corrupt)]
    [InlineData("manifest byte", ErrorKind.Corrupt)]
    [InlineData("diff id", ErrorKind.Corrupt)]
    [InlineData("index", ErrorKind.Invalid)]
    public async Task Refuses_what_is_not_what_its_digest_says_and_leaves_nothing(string what, ErrorKind kind)
    {
        var reference = _root.Layout("lay", "head -c 100000 /dev/urandom > f");
        var index = JsonNode.Parse(File.ReadAllText(_root.Path1("lay/index.json")))!;
        string Blob(JsonNode descriptor) => _root.Path1("lay/blobs/sha256/" + ((string)descriptor["digest"]!)[7..]);
        var manifestPath = Blob(index["manifests"]![0]!);
        var manifest = JsonNode.Parse(File.ReadAllText(manifestPath))!;
        var layer = Blob(manifest["layers"]![0]!);
        var config = Blob(manifest["config"]!);
        switch (what)
        {
            case "layer byte": Flip(layer); break;
            case "layer short": File.WriteAllBytes(layer, File.ReadAllBytes(layer)[..^20]); break;
            case "layer long": File.AppendAllText(layer, "x"); break;
            case "layer gone": File.Delete(layer); break;
            case "config byte": Flip(config); break;
            case "manifest byte": Flip(manifestPath); break;
            case "index": File.WriteAllText(_root.Path1("lay/index.json"), "{\"schemaVersion\":2}"); break;
            default:
                Rewrite(index, manifest, config, c => c["rootfs"]!["diff_ids"]![0] = "sha256:" + new string('0', 64));
                break;
        }

        (await ((Func<Task>)(() => _root.FetchAsync(reference))).Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(kind);
        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Takes_an_image_that_leaves_its_platform_empty_for_the_one_asked_for()
    {
        var reference = _root.Layout("lay", "echo x > f");
        var index = JsonNode.Parse(File.ReadAllText(_root.Path1("lay/index.json")))!;
        string Blob(JsonNode descriptor) => _root.Path1("lay/blobs/sha256/" + ((string)descriptor["digest"]!)[7..]);
        var manifest = JsonNode.Parse(File.ReadAllText(Blob(index["manifests"]![0]!)))!;
        Rewrite(index, manifest, Blob(manifest["config"]!), c =>
        {
            c["os"] = "";
            c["architecture"] = "";
        });
        var image = await _root.FetchAsync(reference);
        (image.Record.Os, image.Record.Architecture).Should().Be((OciPlatform.Host.Os, OciPlatform.Host.Architecture));
    }

    [Fact]
    public void Chooses_the_image_of_an_index_by_platform()
    {
        OciIndexEntry Entry(string? os, string? arch, string? variant, char digit) => new(new OciDescriptor(MediaTypes.Manifest, Digest.Parse("sha256:" + new string(digit, 64)), 1), os, arch, variant, null, null);
        var entries = new[] { Entry("linux", "arm", "v6", '1'), Entry("linux", "arm", "v7", '2'), Entry("linux", "amd64", null, '3'), Entry("windows", "amd64", null, '4') };
        OciDocuments.Select(entries, new OciPlatform("linux", "arm", "v7"), "x").Descriptor.Digest.Hex[0].Should().Be('2');
        OciDocuments.Select(entries, new OciPlatform("linux", "amd64"), "x").Descriptor.Digest.Hex[0].Should().Be('3');
        ((Action)(() => OciDocuments.Select(entries, new OciPlatform("linux", "riscv64"), "x"))).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.NotFound && e.Message.Contains("--platform", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:x","size":1},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":null,"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1},"layers":[]}""")]
    [InlineData("""{"schemaVersion":1,"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"layers":[null],"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":-1}}""")]
    [InlineData("""{"schemaVersion":2,"layers":[],"manifests":[],"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1}}""")]
    [InlineData("[]")]
    [InlineData("null")]
    public void Refuses_manifests_that_are_none(string json)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(json);
        ((Action)(() => OciDocuments.ReadManifest(new OciDocument(Digest.Sha256(bytes), "", bytes)))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);
    }

    [Fact]
    public async Task Converts_to_an_ACI_that_comes_back_with_the_same_app()
    {
        var image = await _root.FetchAsync(_root.Layout("lay", "mkdir -p bin etc && echo x > bin/app && echo 'five:x:5:77::/:' > etc/passwd"));
        await new ImageExport(_root.Store).ToAsync(image, ImageReference.Parse(_root.Path1("out.aci")), false, false, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);
        var back = await _root.FetchAsync(_root.Path1("out.aci"));
        back.Record.Kind.Should().Be(ImageKind.Aci);
        back.Record.App.Exec.Should().Equal("/bin/app", "-v");
        back.Record.App.Ports.Should().Equal(image.Record.App.Ports);
        back.Record.App.MountPoints.Should().Equal(image.Record.App.MountPoints);
        TreeComparer.Compare(_root.Store.LowerDirectories(back.Record)[0], _root.Store.LowerDirectories(image.Record)[0], TestContext.Current.CancellationToken).Should().BeEmpty();
    }

    public void Dispose() => _root.Dispose();

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private void Rewrite(JsonNode index, JsonNode manifest, string configPath, Action<JsonNode> change)
    {
        var config = JsonNode.Parse(File.ReadAllText(configPath))!;
        change(config);
        string Put(JsonNode node, JsonNode descriptor)
        {
            var text = node.ToJsonString();
            var digest = Digest.Sha256(System.Text.Encoding.UTF8.GetBytes(text));
            File.WriteAllText(_root.Path1("lay/blobs/sha256/" + digest.Hex), text);
            descriptor["digest"] = digest.ToString();
            descriptor["size"] = text.Length;
            return text;
        }

        Put(config, manifest["config"]!);
        Put(manifest, index["manifests"]![0]!);
        File.WriteAllText(_root.Path1("lay/index.json"), index.ToJsonString());
    }
}
