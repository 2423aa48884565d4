using System.Diagnostics;

namespace Muster.Linux.Tests;

public sealed class CgroupHierarchiesTests : IDisposable
{
    private readonly string _cgroup = "/muster-test-" + Guid.NewGuid().ToString("N");
    private readonly CgroupHierarchies _hierarchies = CgroupHierarchies.Load();

    [Fact]
    public void Removes_a_tree_of_which_it_knows_only_a_part()
    {
        Make("app/own/inner", "app/second", "infra");
        _hierarchies.Remove(_cgroup, "app", "infra", "none").Should().BeTrue();
        Left().Should().BeEmpty();
        _hierarchies.Remove(_cgroup, "app").Should().BeTrue("what is not there is removed");
    }

    [Fact]
    public void Keeps_what_has_a_process_in_it_and_tells()
    {
        Make("app", "other");
        using var process = Process.Start("/bin/sleep", "600");
        try
        {
            var home = Path.Join(_hierarchies.All[0].MountPoint, _cgroup, "app");
            File.WriteAllText(home + "/cgroup.procs", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            _hierarchies.Remove(_cgroup, "app", "other").Should().BeFalse();
            Left().Should().BeEquivalentTo([Path.GetDirectoryName(home), home]);
            _hierarchies.Processes(_cgroup).Should().Equal(process.Id);
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }

        _hierarchies.Remove(_cgroup).Should().BeTrue();
        Left().Should().BeEmpty();
    }

    public void Dispose() => _hierarchies.Remove(_cgroup);

    private void Make(params string[] below)
    {
        foreach (var path in _hierarchies.All.SelectMany(h => below.Select(b => Path.Join(h.MountPoint, _cgroup, b))))
        {
            Directory.CreateDirectory(path);
        }
    }

    private List<string> Left() =>
        [.. _hierarchies.All.Select(h => Path.Join(h.MountPoint, _cgroup)).Where(Directory.Exists).SelectMany(f => Directory.EnumerateDirectories(f, "*", SearchOption.AllDirectories).Prepend(f))];
}
