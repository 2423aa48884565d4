using Muster.Containers.Accounts;
using Muster.Core;
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
        var written = volumes.Values.Where(v => v.Kind == "host" && HostVolumes.IsWritten(v, apps)).ToList();
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
}
