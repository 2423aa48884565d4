using Muster.TestKit;

namespace Muster.Conformance.Tests.Host;

/// <summary>The installation script with a prefix of its own.</summary>
public sealed class InstallationTests : IDisposable
{
    private readonly TestRoot _root = new();

    public void Dispose() => _root.Dispose();

    private string Prefix => Path.Combine(_root.Work, "prefix");

    private string Manifest => Path.Combine(Prefix, "libexec", "muster", "manifest");

    private ProgramRun Install(params string[] words) => ProgramRun.Of("/bin/bash", [Path.Combine(Repository.Folder, "eng", "install.sh"), .. words], folder: _root.Work);

    private static List<string> Below(string folder) => [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(folder, p)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Removes_exactly_what_it_installed()
    {
        Directory.CreateDirectory(Path.Combine(Prefix, "bin"));
        Directory.CreateDirectory(Path.Combine(Prefix, "share", "man", "man1"));
        File.WriteAllText(Path.Combine(Prefix, "share", "man", "man1", "other.1"), "");
        var before = Below(Prefix);
        Install("--prefix", Prefix).Succeeded();
        var installed = Below(Prefix);
        ProgramRun.Of(Path.Combine(Prefix, "bin", "muster"), ["version"]).Succeeded();
        Install("--prefix", "prefix").Succeeded();
        Below(Prefix).Should().Equal(installed, "a second run changes nothing");

        // It may be moved as a whole.
        var moved = Path.Combine(_root.Work, "moved");
        Directory.Move(Prefix, moved);
        Install("--prefix", moved, "--uninstall").Succeeded();
        Below(moved).Should().Equal(before);
        Install("--prefix", moved, "--uninstall").Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains("was not installed"));
    }

    [Theory]
    [InlineData("WORK/precious")]
    [InlineData("PREFIX/../precious")]
    [InlineData("../precious")]
    public void Removes_nothing_that_is_not_below_the_prefix(string line)
    {
        var precious = Path.Combine(_root.Work, "precious");
        File.WriteAllText(precious, "");
        Install("--prefix", Prefix).Succeeded();
        File.AppendAllText(Manifest, line.Replace("WORK", _root.Work, StringComparison.Ordinal).Replace("PREFIX", Prefix, StringComparison.Ordinal) + "\n");
        Install("--prefix", Prefix, "--uninstall").Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains("not below") && r.Error.Split('\n').Length == 2);
        File.Exists(precious).Should().BeTrue();
        File.Exists(Path.Combine(Prefix, "bin", "muster")).Should().BeTrue("a manifest that was changed is not believed at all");
    }

    [Fact]
    public void Follows_no_link_in_its_way_and_replaces_no_program_of_others()
    {
        var precious = Path.Combine(_root.Work, "precious");
        File.WriteAllText(precious, "mine");
        var libexec = Directory.CreateDirectory(Path.Combine(Prefix, "libexec", "muster")).FullName;
        foreach (var name in new[] { "muster", "muster.new", "manifest.new", "musterd.new" })
        {
            File.CreateSymbolicLink(Path.Combine(libexec, name), precious);
        }

        Install("--prefix", Prefix).Succeeded();
        File.ReadAllText(precious).Should().Be("mine");
        Install("--prefix", Prefix, "--uninstall").Succeeded();
        Directory.CreateDirectory(Path.Combine(Prefix, "bin"));
        File.WriteAllText(Path.Combine(Prefix, "bin", "muster"), "another one's");
        Install("--prefix", Prefix).Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains("was not installed by this script"));
        Below(Path.Combine(Prefix, "bin")).Should().Equal("muster");
        ProgramRun.Of("/bin/chown", ["65534", libexec]).Succeeded();
        File.Delete(Path.Combine(Prefix, "bin", "muster"));
        Install("--prefix", Prefix).Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains("belongs to another user"));
    }

    [Theory]
    [InlineData("--prefix=")]
    [InlineData("--prefix", "")]
    [InlineData("--uninstall", "--purge", "--root=")]
    [InlineData("--uninstall", "--purge", "--root")]
    public void Takes_no_empty_word_for_a_folder(params string[] words)
    {
        // With a prefix that no test installs to, should it go on after all.
        Install(["--prefix", Prefix, .. words]).Should().Match<ProgramRun>(r => r.Status == 2 && r.Error.Contains("needs a folder"));
        Below(_root.Work).Should().BeEmpty();
    }

    [Fact]
    public void Can_be_taken_back_when_it_was_interrupted()
    {
        Install("--prefix", Prefix).Succeeded();
        Install("--prefix", Prefix, "--uninstall").Succeeded();
        using var install = ProgramRun.Start("/bin/bash", [Path.Combine(Repository.Folder, "eng", "install.sh"), "--prefix", Prefix]);
        TestRoot.Until(() => Directory.Exists(Path.Combine(Prefix, "share")) || install.HasExited, "most programs are there");
        install.Kill(entireProcessTree: true);
        install.WaitForExit();
        Install("--prefix", Prefix, "--uninstall").Succeeded();
        Below(Prefix).Should().BeEmpty();
    }

    [Fact]
    public void Says_that_pods_run_on()
    {
        Install("--prefix", Prefix).Succeeded();
        var muster = Path.Combine(Prefix, "bin", "muster");
        ProgramRun.Of(muster, ["--root", _root.Folder, "run", "--detach", "--net=none", "--name=steady", _root.Image(), "--", "-c", "exec sleep 100"]).Succeeded();
        Install("--prefix", Prefix, "--uninstall").Succeeded().Out.Should().Contain("pods that run on: 1;");
        _root.State("steady").Should().Be("running");
    }

    [Fact]
    public void Purges_a_root_with_its_pods_and_nothing_that_is_not_Musters()
    {
        Install("--prefix", Prefix).Succeeded();
        _root.Muster("run", "--detach", "--name=steady", _root.Image(), "--", "-c", "exec sleep 100").Succeeded();
        string[] purge = ["--prefix", Prefix, "--uninstall", "--purge", "--root", _root.Folder];
        var foreign = Path.Combine(Directory.CreateDirectory(Path.Combine(_root.Folder, "etc")).FullName, "passwd");
        File.WriteAllText(foreign, "");
        Install(purge).Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains(foreign) && r.Error.Contains("nothing was removed"));
        _root.State("steady").Should().Be("running");
        File.Delete(foreign);

        var data = Directory.CreateDirectory(Path.Combine(_root.Work, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "precious"), "");
        var place = Directory.CreateDirectory(Path.Combine(_root.Folder, "var", "metrics", "place")).FullName;
        ProgramRun.Of("/bin/mount", ["--bind", data, place]).Succeeded();
        try
        {
            Install(purge).Should().Match<ProgramRun>(r => r.Status == 1 && r.Error.Contains(place) && r.Error.Contains("unmount it"));
        }
        finally
        {
            ProgramRun.Of("/bin/umount", [place]).Succeeded();
        }

        File.Exists(Path.Combine(data, "precious")).Should().BeTrue("to remove what is mounted would remove it where it comes from");
        Install(purge).Succeeded();
        Directory.GetFileSystemEntries(_root.Folder).Should().Equal(_root.Work);
        Below(Prefix).Should().BeEmpty();
        _root.Leftovers().Should().BeEmpty();
    }
}
