using System.Net;
using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>
/// The addresses of one managed network that have an owner: one file each, made exclusively and holding the pod's UUID.
/// Command line and daemon use the same files.
/// </summary>
internal sealed class AddressBook(NetworkPaths paths, string network)
{
    private readonly string _folder = paths.Addresses(network);

    // Where an IPv6 network stands alone, hosts are numbered within 32 bits: enough, and short to read.
    private static readonly UInt128 MostHosts = UInt128.One << 32;

    /// <summary>Takes a free address; probing starts at a place that depends on the pod, so that 50 at once rarely meet.</summary>
    public IPAddress Claim(Subnet subnet, Guid pod)
    {
        var first = UInt128.One + 1; // 0 names the network, 1 is the bridge
        var last = UInt128.Min(subnet.Size - (subnet.IsV6 ? UInt128.One : 2), MostHosts);
        var count = last - first + 1;
        var start = (UInt128)(uint)pod.GetHashCode() % count;
        for (var i = UInt128.Zero; i < count; i++)
        {
            var address = subnet[first + ((start + i) % count)];
            if (TryTake(address, pod))
            {
                return address;
            }
        }

        throw new MusterException(ErrorKind.Exhausted, $"Network {network} has no free address in {subnet}: stop pods, or define a network with a larger prefix");
    }

    /// <summary>Takes the address that was asked for.</summary>
    public IPAddress Claim(Subnet subnet, Guid pod, IPAddress wanted)
    {
        if (subnet.IndexOf(wanted) is not { } index || index < 2 || (!subnet.IsV6 && index == subnet.Size - 1))
        {
            throw new MusterException(ErrorKind.Invalid, $"Address {wanted} cannot be given to a pod of network {network}: choose one of {subnet} other than its first two{(subnet.IsV6 ? "" : " and its last")}");
        }

        return TryTake(wanted, pod)
            ? wanted
            : throw new MusterException(ErrorKind.Conflict, $"Address {wanted} of network {network} belongs to pod {Owner(wanted)?.ToString() ?? "unknown"}: stop that pod or choose another address");
    }

    /// <summary>Gives an address back if the pod owns it.</summary>
    public void Release(string address, Guid pod)
    {
        var path = Path.Combine(_folder, address);
        if (OwnerOf(path) == pod)
        {
            File.Delete(path);
        }
    }

    /// <summary>Every owned address.</summary>
    public IEnumerable<(string Address, Guid? Pod)> All()
    {
        if (!Directory.Exists(_folder))
        {
            yield break;
        }

        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            yield return (Path.GetFileName(path), OwnerOf(path));
        }
    }

    /// <summary>Whether nobody owns any.</summary>
    public bool IsEmpty => !Directory.Exists(_folder) || !Directory.EnumerateFiles(_folder).Any();

    private Guid? Owner(IPAddress address) => OwnerOf(Path.Combine(_folder, address.ToString()));

    private static Guid? OwnerOf(string path) => OwnerFile.Read(path);

    private bool TryTake(IPAddress address, Guid pod) => OwnerFile.TryTake(Path.Combine(_folder, address.ToString()), paths, pod);
}

/// <summary>A file whose existence is ownership and whose content is the owner's UUID: another name (link) of the pod's own file, so that it is never half-made.</summary>
internal static class OwnerFile
{
    /// <summary>Makes the file; false when somebody has it.</summary>
    public static bool TryTake(string path, NetworkPaths paths, Guid pod) => !File.Exists(path) && Exclusive.TryLink(paths.Owner(pod), path);

    /// <summary>The owner; null when the file is gone or not one of ours.</summary>
    public static Guid? Read(string path)
    {
        try
        {
            return Guid.TryParse(File.ReadAllText(path), out var pod) ? pod : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
