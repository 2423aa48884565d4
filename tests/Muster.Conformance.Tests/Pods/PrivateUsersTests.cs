using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>A user namespace that several apps of a pod share, and whose files belong to whom.</summary>
public sealed class PrivateUsersTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly string _image;

    private string HostFolder() => Directory.CreateDirectory(Path.Combine(_root.Work, "host")).FullName;

    private ProgramRun WithVolume(string source, string script, string options = "", params string[] more) =>
        _root.Muster(["run", "--net=none", "--private-users", $"--volume=v,kind=host,source={source}{options}", .. more, _image, "--mount=volume=v,target=/v", "--", "-c", script]);

    public PrivateUsersTests() => _image = _root.Image();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Apps_share_one_range_of_users_and_their_volumes()
    {
        var host = Directory.CreateDirectory(Path.Combine(_root.Work, "host")).FullName;
        const string writer = "cat /proc/self/uid_map; echo one > /shared/of-one; echo x > /host/made; stat -c '%u %g %n' /shared/of-one /host; while [ ! -e /shared/done ]; do sleep 0.05; done; cat /shared/of-two";
        const string reader = "cat /proc/self/uid_map; while [ ! -e /shared/of-one ]; do sleep 0.05; done; id -u; cat /shared/of-one; echo two > /own/f; cat /own/f > /shared/of-two; stat -c '%u %g %a %n' /own /own/f; (echo evil > /shared/of-one; touch /bin/new) 2>&1; touch /shared/done";
        const string third = "cat /proc/self/uid_map; ls -d /own /shared 2>&1; touch /mine; stat -c '%u %n' /mine /bin/busybox";
        var run = _root.Muster(
            "run", "--net=none", "--private-users", "--name=users", "--volume=shared,kind=empty,mode=1777", "--volume=own,kind=empty,uid=1000,gid=1000,mode=0750", "--volume=host,kind=host,source=" + host,
            _image, "--name=one", "--mount=volume=shared,target=/shared", "--mount=volume=host,target=/host", "--", "-c", writer, "---",
            _image, "--name=two", "--user=web", "--group=web", "--mount=volume=shared,target=/shared", "--mount=volume=own,target=/own", "--", "-c", reader, "---",
            _image, "--name=three", "--", "-c", third + "; true").Succeeded();
        var one = Lines("one");
        var two = Lines("two");
        var three = Lines("three");
        var map = one[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        map[0].Should().Be("0");
        map[2].Should().Be("65536");
        var first = uint.Parse(map[1], System.Globalization.CultureInfo.InvariantCulture);
        first.Should().BeGreaterThanOrEqualTo(65536, "root of the pod is nobody of the host's");
        two[0].Should().Be(one[0], "the apps share the namespace");
        three[0].Should().Be(one[0]);
        one[1..].Should().Equal("0 0 /shared/of-one", "0 0 /host", "two");
        two[1..].Should().StartWith(["1000", "one", "1000 1000 750 /own", "1000 1000 644 /own/f"], "a volume's owner is meant in the pod's users");
        two.Should().Contain(l => l.Contains("/shared/of-one: Permission denied", StringComparison.Ordinal)).And.Contain(l => l.Contains("/bin/new: Permission denied"));
        three.Should().Contain("0 /mine").And.Contain("0 /bin/busybox").And.Contain(l => l.Contains("/own: No such file"));

        // What is in the pod's folder has ids of the range; a host's volume has the host's own.
        var pod = Directory.GetDirectories(_root.Pods + "/exited")[0];
        foreach (var (file, id) in new[] { (pod + "/volumes/shared/of-one", first), (pod + "/volumes/shared/of-two", first + 1000), (pod + "/volumes/own", first + 1000), (host + "/made", 0u) })
        {
            ProgramRun.Of("stat", ["-c", "%u %g", file]).Succeeded().Out.Should().Be($"{id} {id}\n", file);
        }

        ProgramRun.Of("stat", ["-c", "%u", Directory.GetDirectories(_root.Folder + "/var/images/trees")[0] + "/rootfs/bin/busybox"]).Out.Should().Be("0\n", "the image is not changed");

        string[] Lines(string app) => _root.Muster("logs", "--app=" + app, "users").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public void Two_pods_have_ranges_of_their_own()
    {
        foreach (var name in (string[])["x", "y"])
        {
            _root.Muster("run", "--net=none", "--detach", "--private-users", "--name=" + name, _image, "--", "-c", "exec sleep 100").Succeeded();
        }

        var maps = ((string[])["x", "y"]).Select(name => _root.Muster("exec", name, "cat", "/proc/self/uid_map").Succeeded().Out).ToList();
        maps[0].Should().NotBe(maps[1]);
    }

    [Theory]
    [InlineData("crun")]
    [InlineData("runc")]
    public void A_volume_of_the_host_belongs_to_the_pods_users(string runtime)
    {
        var folder = HostFolder();
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        WithVolume(folder, "stat -c '%u %a' /v; echo made > /v/made", "", "--runtime=" + runtime).Succeeded().Out.Should().Be("0 700\n");
        ProgramRun.Of("stat", ["-c", "%u %g", folder + "/made"]).Succeeded().Out.Should().Be("0 0\n");
        WithVolume(folder + "/made", "cat /v; echo more >> /v", "", "--runtime=" + runtime).Succeeded().Out.Should().Be("made\n");
        File.ReadAllText(folder + "/made").Should().Be("made\nmore\n");
        WithVolume(folder, "cat /v/made; touch /v/x || echo closed", ",readOnly=true", "--runtime=" + runtime).Succeeded().Out.Should().Be("made\nmore\nclosed\n");
        _root.Muster("gc", "--grace-period=0s").Succeeded();
        File.Exists(folder + "/made").Should().BeTrue("the end of a pod takes nothing from the host");
    }

    [Fact]
    public void A_volume_that_cannot_be_mapped_is_refused_unless_it_is_only_read()
    {
        // sysfs takes no idmapped mount.
        var refused = WithVolume("/sys/kernel", "true");
        refused.Status.Should().Be(254);
        refused.Error.Should().StartWith("muster: Volume \"v\" cannot be written to with --private-users").And.Contain("readOnly=true").And.HaveLength(refused.Error.TrimEnd().Length + 1);
        _root.Muster("list", "-q", "--all").Out.Should().BeEmpty();
        WithVolume("/sys/kernel", "ls /v", ",readOnly=true").Succeeded().Out.Should().Contain("mm");
    }

    [Fact]
    public void Folders_made_under_a_strict_umask_are_opened_and_a_strangers_are_named()
    {
        File.SetUnixFileMode(Path.Combine(_root.Folder, "var"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _root.Muster("run", "--net=none", "--private-users", _image, "--", "-c", "echo in").Succeeded().Out.Should().Be("in\n");
        File.GetUnixFileMode(Path.Combine(_root.Folder, "var")).Should().Be((UnixFileMode)0b111_001_001);
        var before = File.GetUnixFileMode(_root.Folder);
        File.SetUnixFileMode(_root.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _root.Muster("run", "--net=none", "--private-users", _image, "--", "-c", "echo in").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains($"chmod o+x {_root.Folder}"));
        File.SetUnixFileMode(_root.Folder, before);
    }

    [Fact]
    public void What_is_copied_in_is_the_pods_roots()
    {
        var file = Path.Combine(_root.Work, "file");
        File.WriteAllText(file, "x\n");
        _root.Muster("run", "--net=none", "--detach", "--private-users", "--name=box", "--volume=v,kind=host,source=" + HostFolder(), _image, "--mount=volume=v,target=/v", "--", "-c", "exec sleep 100").Succeeded();
        _root.Muster("cp", file, "box:/copied").Succeeded();
        _root.Muster("exec", "box", "stat", "-c", "%u %g", "/copied").Succeeded().Out.Should().Be("0 0\n");
        _root.Muster("cp", file, "box:/v/copied").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("the volume's source on the host"));
    }
}
