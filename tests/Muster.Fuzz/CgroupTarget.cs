using System.Text;
using Muster.Linux;

namespace Muster.Fuzz;

/// <summary>Any text as /proc/self/mountinfo: no text may be a fault.</summary>
public static class CgroupTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "24 30 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"u8.ToArray(),
        "31 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n32 24 0:27 / /sys/fs/cgroup/systemd rw shared:1 - cgroup cgroup rw,xattr,name=systemd\n"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        var found = CgroupHierarchies.Parse(Encoding.UTF8.GetString(data)).All;
        if (found.Select(h => h.MountPoint).Distinct(StringComparer.Ordinal).Count() != found.Count)
        {
            throw new InvalidOperationException("A hierarchy was found twice");
        }
    }
}
