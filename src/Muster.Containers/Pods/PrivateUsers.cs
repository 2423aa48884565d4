using Muster.Containers.Accounts;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Containers.Pods;

/// <summary>
/// What a pod with a user namespace of its own needs of the host: volumes whose owners the kernel maps into the pod's range
/// (idmapped mounts), and folders that its root, who is nobody on the host, may pass through.
/// </summary>
internal static class PrivateUsers
{
    // Any map does to try whether a file system can be mapped at all.
    private static readonly string TrialMap = $"0 {IdRanges.First} {IdRanges.Size}\n";

    /// <summary>Refuses a host's volume that some app may write to and whose file system cannot be mapped: the pod's root could not write there.</summary>
    public static void CheckVolumes(IReadOnlyList<AppRecord> apps, IReadOnlyDictionary<string, VolumeRecord> volumes)
    {
        var written = volumes.Values.Where(v => v.Kind == "host" && IsWritten(v, apps)).ToList();
        if (written.Count == 0)
        {
            return;
        }

        var users = IdMappedMount.OpenUserNamespace(TrialMap);
        try
        {
            foreach (var volume in written)
            {
                if (IdMappedMount.Refusal(volume.Source!, users, volume.Recursive) is { } why)
                {
                    throw new MusterException(ErrorKind.Unsupported, $"Volume \"{volume.Name}\" cannot be written to with --private-users: the file system of {volume.Source}{(volume.Recursive ? ", or one mounted below it," : "")} cannot be mapped to the pod's users ({why.Message}); give it readOnly=true, take a volume of kind=empty, or leave --private-users out", why);
                }
            }
        }
        finally
        {
            Descriptors.Close(users);
        }
    }

    /// <summary>The mounts that bring a pod's host volumes to its users, each at <c>mapped/NAME</c> of the pod directory; makes the places for them.</summary>
    public static IReadOnlyList<PlannedMount> VolumeMounts(PodDirectory pod, PodRecord record)
    {
        var mounts = new List<PlannedMount>();
        foreach (var volume in record.IdMap.Count == 0 ? [] : record.Volumes.Where(v => v.Kind == "host" && record.Apps.Any(a => a.Mounts.Any(m => m.Volume == v.Name))))
        {
            var folder = pod.File(SupervisionPlan.MappedFolder);
            Directory.CreateDirectory(folder, (UnixFileMode)0b111_001_001);
            var place = Path.Combine(folder, volume.Name);
            MakePlace(place, Directory.Exists(volume.Source));
            string[] options = [.. (ReadOnlySpan<string>)(volume.Recursive ? ["recursive"] : []), .. (ReadOnlySpan<string>)(IsWritten(volume, record.Apps) ? [] : ["plain-too"])];
            mounts.Add(new PlannedMount { Type = "volume", Source = volume.Source, Target = place, IdMap = record.IdMap, Options = string.Join(',', options) });
        }

        return mounts;
    }

    /// <summary>
    /// Lets the pod's root pass through the folders above pods: our own are opened (0711, they may have been made under a strict
    /// umask), one that is not ours is named.
    /// </summary>
    public static void OpenParents(MusterRoot root)
    {
        const UnixFileMode pass = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var own in (ReadOnlySpan<string>)[root.Var, root.Pods, Path.Combine(root.Pods, PodStore.Run)])
        {
            var mode = File.GetUnixFileMode(own);
            if (!mode.HasFlag(UnixFileMode.OtherExecute))
            {
                File.SetUnixFileMode(own, mode | pass);
            }
        }

        for (var folder = Path.GetDirectoryName(root.Var); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherExecute))
            {
                throw new MusterException(ErrorKind.Forbidden, $"The folder {folder} is closed to others, and the root of a pod with --private-users is nobody on the host and must pass through it: open it with \"chmod o+x {folder}\", or leave --private-users out");
            }
        }
    }

    /// <summary>
    /// Closes a pod's folder to the host's users, who could else run as root what an app made setuid; only the root of a pod with
    /// users of its own passes through to its tree, by its group, which nobody else has.
    /// </summary>
    public static void ClosePod(PodDirectory pod, PodRecord record) =>
        Ownership.Set(pod.Path, 0, record.IdMap.Count > 0 ? record.IdMap[0].Outside : 0, record.IdMap.Count > 0 ? 0b111_001_000u : 0b111_000_000u);

    private static bool IsWritten(VolumeRecord volume, IReadOnlyList<AppRecord> apps) =>
        !volume.ReadOnly && apps.Any(a => a.Mounts.Any(m => m.Volume == volume.Name && !m.ReadOnly));

    // What is mounted there in a shim's own namespace is not to be seen here: the place is an empty folder or file.
    private static void MakePlace(string place, bool isFolder)
    {
        if (isFolder)
        {
            if (File.Exists(place))
            {
                File.Delete(place);
            }

            Directory.CreateDirectory(place);
            return;
        }

        if (Directory.Exists(place))
        {
            Directory.Delete(place, recursive: false);
        }

        File.WriteAllText(place, "");
    }
}
