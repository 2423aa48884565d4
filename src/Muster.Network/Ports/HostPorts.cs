using System.Net;
using System.Net.Sockets;
using Muster.Core;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>
/// The ports of the host that lead to pods: one owner file each, made exclusively. A port is also refused when a program
/// listens on it, or when another root of this host has published it. The host's lock must be held for claiming.
/// </summary>
internal sealed class HostPorts(NetworkPaths paths)
{
    /// <summary>Claims all of a pod's ports or none.</summary>
    public void Claim(Guid pod, IReadOnlyList<OwnedPort> ports, NetfilterSocket netfilter)
    {
        var others = netfilter.Tables("muster").Where(t => t != paths.Root.NftTable && (t == "muster" || t.StartsWith("muster_", StringComparison.Ordinal))).ToList();
        Directory.CreateDirectory(paths.Ports);
        foreach (var port in ports)
        {
            RefuseOverlap(pod, port);
            RefuseListener(port);
            if (others.Find(table => PacketRules.Elements(port).Any(e => Taken(netfilter, table, e))) is { } other)
            {
                throw new MusterException(ErrorKind.Conflict, $"Host port {Describe(port)} is published by another Muster of this host (table {other}): choose another host port");
            }
        }

        foreach (var port in ports)
        {
            if (!OwnerFile.TryTake(FileOf(port), paths, pod))
            {
                throw Owned(port, FileOf(port));
            }
        }
    }

    /// <summary>Gives a port back if the pod owns it.</summary>
    public void Release(Guid pod, OwnedPort port)
    {
        var file = FileOf(port);
        if (OwnerFile.Read(file) == pod)
        {
            File.Delete(file);
        }
    }

    /// <summary>Gives back every port of a pod, for when its record does not tell.</summary>
    public void ReleaseAll(Func<Guid?, bool> isTheirs)
    {
        if (!Directory.Exists(paths.Ports))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(paths.Ports))
        {
            if (isTheirs(OwnerFile.Read(file)))
            {
                File.Delete(file);
            }
        }
    }

    private static bool Taken(NetfilterSocket netfilter, string table, MapElement element)
    {
        // An element of one address is hidden by theirs on all addresses as well.
        var any = element.Map.StartsWith("any", StringComparison.Ordinal)
            ? element
            : element with { Map = "any" + element.Map[^1], Key = element.Key[^8..] };
        return netfilter.HasElement(table, element) || (any != element && netfilter.HasElement(table, any));
    }

    private void RefuseOverlap(Guid pod, OwnedPort port)
    {
        var prefix = $"{port.Protocol}-{port.HostPort}@";
        foreach (var file in Directory.EnumerateFiles(paths.Ports, prefix + "*"))
        {
            var theirs = Path.GetFileName(file)[prefix.Length..];
            if (Overlap(theirs, Suffix(port)) && OwnerFile.Read(file) != pod)
            {
                throw Owned(port, file);
            }
        }
    }

    // "any" is both families; 0.0.0.0 and :: are all addresses of one.
    private static bool Overlap(string a, string b)
    {
        if (a == b || a == "any" || b == "any")
        {
            return true;
        }

        var (first, second) = (IPAddress.Parse(a), IPAddress.Parse(b));
        return first.AddressFamily == second.AddressFamily && (IsAny(first) || IsAny(second));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static void RefuseListener(OwnedPort port)
    {
        var wanted = port.HostAddress is null ? null : IPAddress.Parse(port.HostAddress);
        IPAddress[] addresses = wanted is null ? [IPAddress.Any, IPAddress.IPv6Any] : [wanted];
        foreach (var address in addresses)
        {
            try
            {
                using var socket = port.Protocol == "udp"
                    ? new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
                    : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                if (address.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    socket.DualMode = false;
                }

                socket.Bind(new IPEndPoint(address, port.HostPort));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw new MusterException(ErrorKind.Conflict, $"Host port {Describe(port)} is in use by a program of this host: stop it (ss -lnp shows it) or choose another host port", e);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable && wanted is not null)
            {
                throw new MusterException(ErrorKind.Invalid, $"Port {Describe(port)} cannot be published because {wanted} is no address of this host: ip address shows them", e);
            }
            catch (SocketException e) when (wanted is null && address.AddressFamily == AddressFamily.InterNetworkV6 && e.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
            {
                // A host without IPv6 has no listener there.
            }
        }
    }

    private static string Suffix(OwnedPort port) => port.HostAddress ?? "any";

    private static string Describe(OwnedPort port) => $"{PortMappings.HostEnd(port.HostAddress, port.HostPort)}/{port.Protocol}";

    private static MusterException Owned(OwnedPort port, string file) => new(
        ErrorKind.Conflict,
        $"Host port {Describe(port)} is published by pod {OwnerFile.Read(file)?.ToString() ?? "unknown"}: stop that pod or choose another host port");

    private string FileOf(OwnedPort port) => Path.Combine(paths.Ports, $"{port.Protocol}-{port.HostPort}@{Suffix(port)}");
}
