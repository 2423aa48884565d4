using Muster.Fuzz;

namespace Muster.Linux.Tests.Cgroups;

public sealed class CgroupHierarchiesTests
{
    [Fact]
    public void Reads_the_one_hierarchy_of_cgroup2()
    {
        var found = CgroupHierarchies.Parse("24 30 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
        found.IsUnified.Should().BeTrue();
        found.All.Should().ContainSingle().Which.MountPoint.Should().Be("/sys/fs/cgroup");
    }

    [Fact]
    public void Reads_the_controllers_of_several_hierarchies()
    {
        var found = CgroupHierarchies.Parse("""
            31 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            32 24 0:27 / /sys/fs/cgroup/memory rw shared:4 - cgroup cgroup rw,memory
            33 24 0:27 /inside /mnt/memory rw - cgroup cgroup rw,memory
            34 24 0:28 / /proc rw - proc proc rw
            """);
        found.IsUnified.Should().BeFalse();
        found.All.Select(h => string.Join('+', h.Controllers)).Should().Equal("cpu+cpuacct", "memory");
    }

    [Fact]
    public void Finds_the_hierarchies_of_this_host() => CgroupHierarchies.Load().All.Should().NotBeEmpty().And.OnlyContain(h => Directory.Exists(h.MountPoint));

    [Fact]
    public void Survives_any_text()
    {
        foreach (var input in Mutation.Of(CgroupTarget.Seeds, seed: 1, count: 2000))
        {
            CgroupTarget.Run(input);
        }
    }
}
