using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>Makes a plan's mounts in the shim's own mount namespace, so that they vanish with it however it ends.</summary>
internal static class PodMounts
{
    public static void Make(SupervisionPlan plan, string podDirectory)
    {
        Mount.EnterPrivateNamespace();
        var userNamespace = -1;
        try
        {
            for (var i = 0; i < plan.Mounts.Count; i++)
            {
                var mount = plan.Mounts[i];
                if (mount.IdMap.Count > 0 && userNamespace < 0)
                {
                    userNamespace = PodUsers.Open(mount.IdMap);
                }

                Make(mount, podDirectory, i, userNamespace);
            }
        }
        finally
        {
            Descriptors.Close(userNamespace);
        }
    }

    /// <summary>
    /// Takes down every mount below the pod directory, so that deleting it cannot reach into an image's tree; throws while
    /// one is left.
    /// </summary>
    public static void DetachBelow(string podDirectory)
    {
        foreach (var target in MountsBelow(podDirectory).Reverse())
        {
            Mount.Detach(target);
        }

        if (MountsBelow(podDirectory).FirstOrDefault() is { } left)
        {
            throw new MusterException(ErrorKind.Internal, $"{left} is still mounted, so the ended pod is not deleted: \"muster gc\" does it");
        }
    }

    private static IEnumerable<string> MountsBelow(string podDirectory) =>
        File.ReadAllLines("/proc/thread-self/mountinfo").Select(l => Mount.Unescape(l.Split(' ')[4])).Where(t => t.StartsWith(podDirectory + "/", StringComparison.Ordinal)).ToList();

    private static void Make(PlannedMount mount, string podDirectory, int number, int userNamespace)
    {
        switch (mount.Type)
        {
            case "overlay":
                var lowers = mount.IdMap.Count == 0 ? mount.Lowers : MapLowers(mount.Lowers, podDirectory, number, userNamespace);
                MakeOverlay(mount, lowers);
                if (mount.Upper is not null)
                {
                    CheckWritable(mount.Target);
                }

                break;
            case "sysfs":
                Mount.MakeSysfs(mount.Target, mount.Source);
                break;
            case "bind":
                Mount.Bind(mount.Source!, mount.Target, recursive: true);
                break;
            case "volume":
                VolumeMounts.Make(mount, userNamespace);
                break;
            case "tmpfs":
                Mount.Make("tmpfs", mount.Target, "tmpfs", Mount.NoSuid | Mount.NoDev, mount.Options);
                break;
            default:
                throw new MusterException(ErrorKind.Internal, $"The plan asks for a mount of type \"{mount.Type}\", which this muster-shim does not know");
        }
    }

    private static void MakeOverlay(PlannedMount mount, IReadOnlyList<string> lowers)
    {
        try
        {
            Overlay.Make(lowers, mount.Upper, mount.Work, mount.Target, mount.Options);
        }
        catch (LinuxException e) when (e.Errno == Errno.EINVAL && mount.Options is not null)
        {
            // Kernels before 5.10 do not know "volatile"; it only saves time.
            Overlay.Make(lowers, mount.Upper, mount.Work, mount.Target);
        }
    }

    private static List<string> MapLowers(IReadOnlyList<string> lowers, string podDirectory, int number, int userNamespace)
    {
        var staging = Path.Combine(podDirectory, "lowers");
        Directory.CreateDirectory(staging);
        Mount.Make("tmpfs", staging, "tmpfs", 0, "mode=0711,size=64k");
        var mapped = new List<string>();
        for (var i = 0; i < lowers.Count; i++)
        {
            var target = Path.Combine(staging, $"{number}-{i}");
            Directory.CreateDirectory(target);
            IdMappedMount.Make(lowers[i], target, userNamespace);
            mapped.Add(target);
        }

        return mapped;
    }

    // An overlay that the kernel could not make writable says so only in the kernel log.
    private static void CheckWritable(string target)
    {
        var folder = LinuxException.Check(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(target), FileCalls.ReadOnly | FileCalls.DirectoryOnly), "open", target);
        try
        {
            if (FileCalls.TryGetSpace(folder, out var space) && space.IsReadOnly)
            {
                throw new MusterException(ErrorKind.Unsupported, $"The overlay at {target} is read-only although it has an upper directory: the kernel log (dmesg) says why");
            }
        }
        finally
        {
            Descriptors.Close(folder);
        }
    }
}
