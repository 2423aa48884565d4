using Muster.Core;
using Muster.Images.Build;

namespace Muster.Images.Tests.Build;

public sealed class ImageBuilderTests : IDisposable
{
    private readonly ImageRoot _root = new();

    private const string Recipe = """
        name: example.com/app
        version: "1.2"
        type: TYPE
        copy:
          - {from: bin, to: /usr/bin}
          - {from: conf, to: /etc/app/, mode: "0640", owner: "5:6"}
        exec: [/usr/bin/run, --fast]
        user: "5"
        group: "6"
        workdir: /srv
        env: {B: "2", A: "1"}
        ports: [{name: www, port: 80}]
        mounts: [{name: data, path: /data, readOnly: true}]
        labels: {team: blue}
        """;

    [Theory]
    [InlineData("oci")]
    [InlineData("aci")]
    public async Task Builds_the_same_image_from_the_same_files(string type)
    {
        var first = await BuildAsync("one", type, 1_500_000_000);
        var second = await BuildAsync("two", type, 1_500_000_000);
        second.Record.Id.Should().Be(first.Record.Id);
        first.Reference.Trust.Verdict.Should().Be(TrustVerdict.Built);
        first.Reference.Reference.Should().Be("example.com/app:1.2");
        first.Record.App.Exec.Should().Equal("/usr/bin/run", "--fast");
        first.Record.App.Group.Should().Be("6");
        first.Record.App.MountPoints.Should().ContainSingle().Which.Path.Should().Be("/data");
        var tree = _root.Store.LowerDirectories(first.Record)[0];
        var conf = Muster.Linux.FileStatus.Find(tree + "/etc/app/conf")!.Value;
        (conf.Permissions, conf.Uid, conf.Gid, conf.ModifiedSeconds).Should().Be((0x1a0u, 5u, 6u, 1_500_000_000L));
        (await new ImageVerifier(_root.Store).VerifyAsync(first.Record, null, TestContext.Current.CancellationToken)).Should().BeEmpty();
    }

    [Fact]
    public async Task Builds_upon_another_image_and_is_read_by_others()
    {
        await _root.FetchAsync(_root.Layout("lay", "mkdir etc && echo base > etc/base"));
        _root.Write("b/image.yaml", $"name: example.com/upon\nfrom: oci:{_root.Path1("lay:latest")}\ncopy: [{{from: f, to: /}}]\nenv: {{A: c}}\n");
        _root.Write("b/f", "f");
        var image = await new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, ImageRoot.Unverified, TestContext.Current.CancellationToken);
        image.Record.Trees.Should().HaveCount(2);
        image.Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure, "nobody vouches for the files of the image below");
        image.Reference.Trust.Reason.Should().Contain("built upon oci:");
        image.Record.App.Exec.Should().Equal("/bin/app");
        image.Record.App.Environment.Single(e => e.Name == "A").Value.Should().Be("c");
        await new ImageExport(_root.Store).ToAsync(image, ImageReference.Parse("oci-archive:" + _root.Path1("o.tar")), false, false, ImageRoot.Unverified, _ => { }, TestContext.Current.CancellationToken);
        _root.Shell("skopeo copy -q oci-archive:o.tar oci:check:x && umoci unpack --image check:x u && test -f u/rootfs/f && test -f u/rootfs/etc/base");
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("aci")]
    public async Task Puts_files_where_the_links_of_the_image_below_lead_and_leaves_its_folders_as_they_are(string type)
    {
        _root.Write("base/image.yaml", $"name: example.com/base\ntype: {type}\ncopy: [{{from: fs, to: /}}]\n");
        _root.Shell("mkdir -p base/fs/usr/bin base/fs/root base/fs/tmp && echo sh > base/fs/usr/bin/sh && ln -s usr/bin base/fs/bin && ln -s /var/lib base/fs/data && chmod 700 base/fs/root && chmod 1777 base/fs/tmp");
        await new ImageBuilder(_root.Store).BuildAsync(_root.Path1("base"), null, new FetchOptions(), TestContext.Current.CancellationToken);
        _root.Write("b/image.yaml", $"name: example.com/upon\ntype: {type}\nfrom: example.com/base\ncopy:\n" + string.Concat(new[] { ("f", "/bin/"), ("f", "/root/f"), ("f", "/data/f"), ("fs", "/"), ("d", "/tmp") }.Select(c => $"  - {{from: {c.Item1}, to: {c.Item2}}}\n")));
        _root.Write("b/f", "f");
        _root.Write("b/fs/bin/run", "run");
        _root.Write("b/d/inside", "inside");
        var image = await new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, new FetchOptions(), TestContext.Current.CancellationToken);
        await ImageExtraction.ExtractAsync(_root.Store, image.Record, _root.Path1("out"), rendered: true, rootOnly: true, overwrite: false, TestContext.Current.CancellationToken);
        _root.Shell("cd out && test \"$(readlink bin)\" = usr/bin && test \"$(echo $(ls usr/bin))\" = 'f run sh' && test -f var/lib/f && test -f root/f && test -f tmp/inside");
        _root.Shell("cd out && test \"$(stat -c %a root tmp | tr '\\n' ' ')\" = '700 1777 '");
    }

    [Theory]
    [InlineData("/bin")]
    [InlineData("/usr/bin")]
    public async Task Refuses_a_file_in_the_place_of_a_folder_of_the_image_below(string to)
    {
        await _root.FetchAsync(_root.Layout("lay", "mkdir -p usr/bin && ln -s usr/bin bin"));
        _root.Write("b/image.yaml", $"name: example.com/upon\nfrom: oci:{_root.Path1("lay:latest")}\ncopy: [{{from: f, to: {to}}}]\n");
        _root.Write("b/f", "f");
        (await ((Func<Task>)(() => new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, ImageRoot.Unverified, TestContext.Current.CancellationToken)))
            .Should().ThrowAsync<MusterException>()).Which.Message.Should().Contain("slash");
    }

    [Fact]
    public async Task Builds_nothing_trusted_upon_an_unverified_App_Container_image()
    {
        await _root.FetchAsync(_root.Aci("base.aci", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/base"}""", ("file", "x")));
        _root.Write("b/image.yaml", "name: example.com/upon\ntype: aci\nfrom: example.com/base\ncopy: [{from: f, to: /f}]\n");
        _root.Write("b/f", "f");
        var image = await new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, ImageRoot.Unverified with { Pull = PullPolicy.New }, TestContext.Current.CancellationToken);
        image.Reference.Trust.Verdict.Should().Be(TrustVerdict.Insecure);
    }

    [Fact]
    public async Task Builds_a_folder_as_actool_does()
    {
        _root.Write("a/manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/layout"}""");
        _root.Write("a/rootfs/f", "f");
        var image = await new ImageBuilder(_root.Store).BuildAsync(_root.Path1("a"), 1, new FetchOptions(), TestContext.Current.CancellationToken);
        image.Record.Name.Should().Be("example.com/layout");
        image.Reference.Trust.Verdict.Should().Be(TrustVerdict.Built);
    }

    [Theory]
    [InlineData("name: Bad Name", "name")]
    [InlineData("name: a\nfuture: 1", "unknown")]
    [InlineData("name: a\ncopy: [{from: ../x, to: /x}]", "inside")]
    [InlineData("name: a\ncopy: [{from: /etc/passwd, to: /x}]", "inside")]
    [InlineData("name: a\nports: [{port: 99999}]", "port")]
    [InlineData("name: a\nexec: run", "exec")]
    [InlineData("name: a\nversion: a b", "version")]
    [InlineData("name: a\nversion: \"1,os=linux\"\ntype: aci", "version")]
    [InlineData("name: a\nstopsignal: SIGFOO", "stopsignal")]
    [InlineData("- a", "mapping")]
    [InlineData("name: [", "YAML")]
    [InlineData("{\"a\":\"\\ud825\\ud800\"}", "YAML")]
    [InlineData("name: \"\\U99999999\"", "YAML")]
    [InlineData("name: &a a\nversion: *a", "aliases")]
    [InlineData("name: a\nenv: [[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]", "nests")]
    public void Refuses_recipes_that_are_wrong(string yaml, string says) =>
        ((Action)(() => BuildRecipeReader.Read(yaml))).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains(says, StringComparison.Ordinal));

    [Fact]
    public async Task Says_of_a_name_that_it_is_not_UTF_8()
    {
        _root.Write("b/image.yaml", "name: example.com/a\ncopy: [{from: fs, to: /}]\n");
        _root.Shell("mkdir b/fs && touch \"b/fs/$(printf 'bad\\377')\"");
        (await ((Func<Task>)(() => new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, new FetchOptions(), TestContext.Current.CancellationToken)))
            .Should().ThrowAsync<MusterException>()).Which.Message.Should().Contain("UTF-8");
    }

    [Fact]
    public async Task Refuses_a_copy_that_leads_out_through_a_link()
    {
        _root.Write("b/image.yaml", "name: example.com/a\ncopy: [{from: out/passwd, to: /passwd}]\n");
        _root.Shell("ln -s /etc b/out");
        (await ((Func<Task>)(() => new ImageBuilder(_root.Store).BuildAsync(_root.Path1("b"), null, new FetchOptions(), TestContext.Current.CancellationToken)))
            .Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Invalid);
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("aci")]
    public async Task Builds_nothing_that_a_policy_refuses(string type)
    {
        Directory.CreateDirectory(_root.Root.Etc + "/policy.d");
        File.WriteAllText(_root.Root.Etc + "/policy.d/no.json", """{"version":1,"rules":[{"prefix":"example.com","action":"refuse","reason":"none of these here"}]}""");
        var build = () => BuildAsync("one", type, 1_500_000_000);
        (await build.Should().ThrowAsync<MusterException>()).Which.Should().Match<MusterException>(e => e.Kind == ErrorKind.Forbidden && e.Message.Contains("none of these here"));
        _root.ShouldBeEmpty();
    }

    public void Dispose() => _root.Dispose();

    private async Task<StoredImage> BuildAsync(string folder, string type, long epoch)
    {
        _root.Write(folder + "/image.yaml", Recipe.Replace("TYPE", type, StringComparison.Ordinal));
        foreach (var name in folder == "one" ? new[] { "run", "a", "b" } : ["b", "a", "run"])
        {
            _root.Write($"{folder}/bin/{name}", name);
        }

        _root.Write(folder + "/conf", "conf");
        return await new ImageBuilder(_root.Store).BuildAsync(_root.Path1(folder), epoch, new FetchOptions(), TestContext.Current.CancellationToken);
    }
}
