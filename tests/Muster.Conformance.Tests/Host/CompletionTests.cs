using Muster.TestKit;

namespace Muster.Conformance.Tests.Host;

/// <summary>Completion in the shells themselves: what is typed with a tab at its end, and what stands there then.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TestRoot _root = new();

    public CompletionTests()
    {
        _root.Image(more: "version: \"1\"\n");
        _root.Muster("prepare", "--net=none", "--name=web", "example.com/busybox").Succeeded();
        _root.Muster("network", "create", "back").Succeeded();
    }

    public void Dispose() => _root.Dispose();

    private string Script(string shell, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.Work, shell)).FullName;
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, _root.Muster("completion", shell).Succeeded().Out);
        return file;
    }

    private Dictionary<string, string> Surroundings => new()
    {
        ["PATH"] = Path.GetDirectoryName(Repository.Program("muster")) + ":/usr/bin:/bin",
        ["HOME"] = _root.Work,
        ["TERM"] = "dumb",
    };

    /// <summary>Types into a shell at a terminal: each line, a tab, and then what makes the shell print the line as it is.</summary>
    private List<string> Type(string shell, string preparation, params string[] lines)
    {
        // Home, "print <", end, ">": what was completed is an argument now. A space or slash behind it zsh takes back when one goes elsewhere.
        var typed = string.Concat(lines.Select(l => $"{l.Replace("ROOT", _root.Folder, StringComparison.Ordinal)}\t\u0001echo \"<\u0005>\"\n"));
        var run = ProgramRun.Of("/usr/bin/script", ["-qec", shell, "/dev/null"], $"{preparation}\n{typed}exit\n", Surroundings, _root.Work);
        return [.. run.Out.Split('\n').Select(l => l.Trim('\r', ' ').Replace(_root.Folder, "ROOT", StringComparison.Ordinal).Replace(" >", ">", StringComparison.Ordinal)).Where(l => l.StartsWith('<'))];
    }

    [Fact]
    public void Completes_in_bash()
    {
        var script = Script("bash", "muster");
        Type("bash --norc --noprofile -i", $"PS1=; source {script}", Lines).Should().Equal(Completed);
        Type("bash --norc --noprofile -i", $"PS1=; source {script}", "muster fetch --pull-policy=nev", "muster --root=ROOT run example.com/busybox:", "muster run --pod-manifest=ba", "muster fetch oci:ba")
            .Should().Equal("<muster fetch --pull-policy=never>", "<muster --root=ROOT run example.com/busybox:1>", "<muster run --pod-manifest=bash/>", "<muster fetch oci:bash/>");
    }

    [Fact]
    public void Completes_in_zsh()
    {
        var folder = Path.GetDirectoryName(Script("zsh", "_muster"))!;
        var found = $"PS1=; bindkey -e; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D";
        Type("zsh -f -i", found, Lines).Should().Equal(Completed);
        Type("zsh -f -i", found, "muster fetch --pull-policy=nev", "muster --root=ROOT run example.com/busybox:", "muster run --pod-manifest=zs", "muster fetch oci:zs")
            .Should().Equal("<muster fetch --pull-policy=never>", "<muster --root=ROOT run example.com/busybox:1>", "<muster run --pod-manifest=zsh>", "<muster fetch oci:zsh>");
        Type("zsh -f -i", $"PS1=; bindkey -e; autoload -Uz compinit; compinit -u -D; source {folder}/_muster", "muster image li").Should().Equal("<muster image list>");
    }

    [Fact]
    public void Completes_in_fish()
    {
        var script = Script("fish", "muster.fish");
        List<string> Complete(string line) =>
        [
            .. ProgramRun.Of("/usr/bin/fish", ["--no-config", "-c", $"source {script}; complete -C (cat)"], line.Replace("ROOT", _root.Folder, StringComparison.Ordinal), Surroundings, _root.Work)
                .Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries),
        ];
        foreach (var (line, completed) in Lines.Zip(Completed))
        {
            // Fish tells the candidates for the last word.
            Complete(line).Should().ContainSingle().Which.Split('\t')[0].Should().Be(completed.Trim('<', '>', ' ').Split(' ')[^1]);
        }

        Complete("muster image li").Should().Equal("list\tList the images of the store");
        Complete("muster fetch --pull-policy=nev").Should().Equal("--pull-policy=never");
        Complete("muster --root=ROOT run example.com/busybox:").Should().Equal("example.com/busybox:1");
        Complete("muster run --pod-manifest=fi").Should().Equal("--pod-manifest=fish/");
        Complete("muster fetch oci:fi").Should().Equal("oci:fish/");
        Complete("muster stop --").Should().Contain(c => c.StartsWith("--timeout=\t", StringComparison.Ordinal)).And.NotContain(c => c.StartsWith("--net", StringComparison.Ordinal));
    }

    private static readonly string[] Lines =
    [
        "muster vers", "muster image li", "muster --root ROOT image ver", "muster run --private", "muster list --ful",
        "muster --root ROOT start w", "muster --root ROOT cp w", "muster --root ROOT rmi example.com/busybox:", "muster --root ROOT network rm ba", "muster image list --form",
    ];

    private static readonly string[] Completed =
    [
        "<muster version>", "<muster image list>", "<muster --root ROOT image verify>", "<muster run --private-users>", "<muster list --full>",
        "<muster --root ROOT start web>", "<muster --root ROOT cp web:>", "<muster --root ROOT rmi example.com/busybox:1>", "<muster --root ROOT network rm back>", "<muster image list --format=>",
    ];
}
