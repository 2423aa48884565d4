using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>Where the network room keeps what it owns. Computes paths, and takes the lock that lies at one of them.</summary>
internal sealed class NetworkPaths(MusterRoot root)
{
    /// <summary>One lock for all roots of a host: prefixes, host ports and kernel settings are shared by them.</summary>
    public const string HostLock = "/run/muster/network.lock";

    public MusterRoot Root { get; } = root;

    /// <summary>Takes <see cref="HostLock"/>, which others hold for moments.</summary>
    public static FileLock TakeHostLock()
    {
        try
        {
            return FileLock.Wait(HostLock);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            throw new MusterException(ErrorKind.Forbidden, $"Networks cannot be changed because {HostLock} cannot be opened: run as root", e);
        }
    }

    /// <summary>Definitions: ours (.yaml, .json) and CNI's (.conf, .conflist).</summary>
    public string Definitions => Path.Combine(Root.Etc, "net.d");

    /// <summary>What was chosen for networks whose definition leaves it open; a reboot keeps it.</summary>
    public string Chosen => Path.Combine(Root.Var, "networks");

    /// <summary>Everything below is lost by a reboot.</summary>
    public string State => Path.Combine(Root.Run, "network");

    public string BootFile => Path.Combine(State, "boot");

    public string Namespaces => Root.NetworkNamespaces;

    public string Pods => Path.Combine(State, "pods");

    public string Ports => Path.Combine(State, "ports");

    /// <summary>Kernel settings that were changed for pods, one line each.</summary>
    public string HostChanges => Path.Combine(State, "host-changes");

    public string Networks => Path.Combine(State, "networks");

    public string Namespace(Guid pod) => Path.Combine(Namespaces, pod.ToString());

    public string Pod(Guid pod) => Path.Combine(Pods, pod.ToString());

    public string Network(string name) => Path.Combine(Networks, name);

    /// <summary>The file of which every owner file of the pod is another name.</summary>
    public string Owner(Guid pod) => Path.Combine(Pod(pod), "owner");

    public string Addresses(string name) => Path.Combine(Networks, name, "addresses");

    public string Hosts(string name) => Path.Combine(Networks, name, "hosts");

    public string Up(string name) => Path.Combine(Networks, name, "up.json");

    public string ChosenFile(string name) => Path.Combine(Chosen, name + ".json");
}
