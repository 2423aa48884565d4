using Muster.Core;

namespace Muster.Containers.Metadata;

/// <summary>The files of the metadata service; only computes paths.</summary>
internal sealed class MetadataPaths(MusterRoot root)
{
    public const string SocketName = "service.sock";

    /// <summary>Where rkt and its clients expect it; only on the system root, where nobody else of ours is.</summary>
    public const int SystemPort = 18112;

    public string Folder { get; } = Path.Combine(root.Run, "metadata");

    public string Pods => Path.Combine(Folder, "pods");

    /// <summary>Held while the service is started, spoken to or ended, so that it never ends under a pod that registers.</summary>
    public string ClientLock => Path.Combine(Folder, "client.lock");

    /// <summary>Held by the running service.</summary>
    public string ServiceLock => Path.Combine(Folder, "service.lock");

    public string Log => Path.Combine(Folder, "service.log");

    /// <summary>0 lets the kernel choose: fixed ports stay closed below <c>--root</c>.</summary>
    public int Port { get; } = root.IsSystem ? SystemPort : 0;

    public string Pod(Guid pod) => Path.Combine(Pods, pod + ".json");

#pragma warning disable CA1416 // Muster runs on Linux only.
    /// <summary>Makes the folders, for root only: keys are in them.</summary>
    public void Make()
    {
        Directory.CreateDirectory(root.Run);
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Pods, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
#pragma warning restore CA1416
}
