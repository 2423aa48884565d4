using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Containers.Pods;

/// <summary>Volumes that are places of the host.</summary>
internal static class HostVolumes
{
    /// <summary>Refuses a host's volume whose source is not there, or that leads elsewhere through a symbolic link.</summary>
    public static void Check(IReadOnlyList<VolumeRecord> volumes)
    {
        foreach (var volume in volumes.Where(v => v.Kind == "host"))
        {
            string real;
            try
            {
                real = RealPath.Resolve(volume.Source!);
            }
            catch (LinuxException e)
            {
                throw new MusterException(ErrorKind.NotFound, $"The source {volume.Source} of volume \"{volume.Name}\" cannot be used ({e.Message}): make it first, a volume's source is never created", e);
            }

            if (real != Path.TrimEndingDirectorySeparator(volume.Source!))
            {
                throw new MusterException(ErrorKind.Forbidden, $"The source {volume.Source} of volume \"{volume.Name}\" leads through a symbolic link to {real}: name that path itself");
            }
        }
    }

    /// <summary>
    /// The mounts that the shim makes of a pod's host volumes, each at <c>host-volumes/NAME</c> of the pod directory: the OCI runtime
    /// would follow whatever link has come in a source's place since <see cref="Check"/>.
    /// </summary>
    public static IEnumerable<PlannedMount> Plan(PodDirectory pod, PodRecord record) =>
        from volume in record.Volumes
        where volume.Kind == "host" && record.Apps.Any(a => a.Mounts.Any(m => m.Volume == volume.Name))
        select new PlannedMount
        {
            Type = "volume",
            Source = volume.Source,
            Target = Target(pod.Path, volume),
            IdMap = record.IdMap,
            Options = string.Join(',', (IEnumerable<string>)[.. (ReadOnlySpan<string>)(volume.Recursive ? ["recursive"] : []), .. (ReadOnlySpan<string>)(IsWritten(volume, record.Apps) ? [] : ["plain-too"])]),
        };

    /// <summary>Where a host volume is mounted for the OCI runtime, which binds it from there into the apps.</summary>
    public static string Target(string podDirectory, VolumeRecord volume) => Path.Combine(podDirectory, SupervisionPlan.HostVolumesFolder, volume.Name);

    /// <summary>True when some app may write to a volume.</summary>
    public static bool IsWritten(VolumeRecord volume, IReadOnlyList<AppRecord> apps) =>
        !volume.ReadOnly && apps.Any(a => a.Mounts.Any(m => m.Volume == volume.Name && !m.ReadOnly));
}
