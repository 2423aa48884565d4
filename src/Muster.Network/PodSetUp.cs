using System.Net;
using Microsoft.Win32.SafeHandles;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>One pod's way into its networks. Whoever calls it takes everything back when it throws.</summary>
internal sealed class PodSetUp : IDisposable
{
    // Link names are random within 36^5; two equal ones are met about never, and then another is drawn.
    private const int LinkNameAttempts = 16;

    // It is there within a millisecond; a bridge that somebody set down must not hold the pod up.
    private const int CarrierMilliseconds = 200;

    private readonly NetworkPaths _paths;
    private readonly PacketRules _rules;
    private readonly ManagedNetworks _managed;
    private readonly NetworkRequest _request;
    private readonly PodRecordFile _file;
    private readonly Action<string>? _warn;
    private readonly RouteSocket _host = new();
    private readonly List<NameServer.Starting> _starting = [];
    private readonly List<Joined> _joined = [];
    private readonly List<PodInterface> _interfaces = [];
    private PodRecord _record;

    public PodSetUp(NetworkPaths paths, PacketRules rules, ManagedNetworks managed, NetworkRequest request, PodRecordFile file, Action<string>? warn)
    {
        _paths = paths;
        _rules = rules;
        _managed = managed;
        _request = request;
        _file = file;
        _warn = warn;
        _record = new PodRecord { Pod = request.Pod };
    }

    private sealed record Joined(ManagedNetwork Network, LinkInfo Bridge, int Position, IReadOnlyList<(IPAddress Address, Subnet Subnet)> Addresses)
    {
        public string Interface => "eth" + Position;

        public IPAddress? First(bool v6) => Addresses.Where(a => a.Subnet.IsV6 == v6).Select(a => a.Address).FirstOrDefault();
    }

    /// <summary>Does all of it, in an order that lets dnsmasq start beside the kernel's work.</summary>
    public PodNetworkState Run(List<KnownNetwork> networks, CancellationToken ct)
    {
        RefuseLimitsOnCni(networks);
        _file.Write(_record);
        for (var i = 0; i < networks.Count; i++)
        {
            if (networks[i].Definition is { } definition)
            {
                Claim(definition, i);
            }
        }

        RefusePortsNobodyTakes(networks);
        BeginNameServers();
        ct.ThrowIfCancellationRequested();
        var path = _paths.Namespace(_request.Pod);
        using (var inside = MakeNamespace(path))
        {
            using var handle = NetworkNamespace.Open(path);
            foreach (var joined in _joined)
            {
                Connect(joined, handle, inside);
            }
        }

        // A server that starts holds its network's lock until here. Taken after the host's lock elsewhere, it must not be
        // held while waiting for that one, nor while a plugin runs.
        var served = FinishNameServers();
        var cni = new List<CniResult>();
        for (var i = 0; i < networks.Count; i++)
        {
            if (networks[i].Cni is { } configuration)
            {
                ct.ThrowIfCancellationRequested();
                cni.Add(JoinCni(configuration, _request.Networks[i], i, path));
            }
        }

        OpenPorts();
        AwaitCarrier();
        _record = _record with { Complete = true };
        _file.Write(_record);
        return State(path, networks, served, cni);
    }

    public void Dispose()
    {
        foreach (var starting in _starting)
        {
            starting.Dispose();
        }

        _host.Dispose();
    }

    private void Claim(NetworkDefinition definition, int position)
    {
        var arguments = _request.Networks[position].Arguments;
        if (arguments.Keys.FirstOrDefault(k => k is not ("IP" or "IP6")) is { } unknown)
        {
            throw new MusterException(ErrorKind.Invalid, $"Network {definition.Name} knows no argument {unknown}: it takes IP and IP6");
        }

        var (network, _) = _managed.BringUp(definition, _host);
        var book = new AddressBook(_paths, network.Name);
        var addresses = new List<(IPAddress, Subnet)>();
        IPAddress? v4 = null;
        foreach (var prefix in network.Prefixes.OrderBy(p => p.IsV6))
        {
            IPAddress address;
            if (Wanted(arguments, prefix, network) is { } wanted)
            {
                address = book.Claim(prefix, _request.Pod, wanted);
            }
            else if (prefix.IsV6 && v4 is not null && Beside(network, prefix, v4) is { } same && TryClaim(book, prefix, same))
            {
                address = same;
            }
            else
            {
                address = book.Claim(prefix, _request.Pod);
            }

            v4 ??= prefix.IsV6 ? null : address;
            addresses.Add((address, prefix));
            _record = _record with { Addresses = [.. _record.Addresses, new OwnedAddress(network.Name, address.ToString())] };
        }

        // Until the address was claimed the network counted as idle and a sweep may have taken it down: it is brought up again.
        var (still, bridge) = _managed.BringUp(definition, _host);
        if (!still.Subnets.SequenceEqual(network.Subnets))
        {
            throw new MusterException(ErrorKind.Busy, $"Network {network.Name} was being redefined by another command: try again");
        }

        _record = _record with { Networks = [.. _record.Networks, network.Name] };
        _joined.Add(new Joined(network, bridge, position, addresses));
    }

    // 10.209.0.5 goes with fd…::5, which is easier to read for people.
    private static IPAddress? Beside(ManagedNetwork network, Subnet v6, IPAddress v4)
    {
        var index = network.Prefixes.First(p => !p.IsV6).IndexOf(v4) ?? 0;
        return index >= 2 && index < v6.Size ? v6[index] : null;
    }

    private bool TryClaim(AddressBook book, Subnet prefix, IPAddress address)
    {
        try
        {
            book.Claim(prefix, _request.Pod, address);
            return true;
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Conflict or ErrorKind.Invalid)
        {
            return false;
        }
    }

    private static IPAddress? Wanted(IReadOnlyDictionary<string, string> arguments, Subnet prefix, ManagedNetwork network)
    {
        foreach (var key in prefix.IsV6 ? (ReadOnlySpan<string>)["IP6", "IP"] : ["IP"])
        {
            if (arguments.TryGetValue(key, out var text))
            {
                if (!IPAddress.TryParse(text, out var address))
                {
                    throw new MusterException(ErrorKind.Invalid, $"{key}={text} for network {network.Name} is no IP address");
                }

                if ((address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) == prefix.IsV6)
                {
                    return address;
                }
            }
        }

        return null;
    }

    private void RefusePortsNobodyTakes(List<KnownNetwork> networks)
    {
        if (_request.Ports.Count > 0 && _joined.Count == 0 && !networks.Any(n => n.Cni is { } cni && CniPlugins.TakesPorts(cni)))
        {
            throw new MusterException(ErrorKind.Unsupported, $"Network {networks[0].Name} cannot publish ports: join the network default, or add the portmap plugin with its portMappings capability to the CNI list");
        }
    }

    private void RefuseLimitsOnCni(List<KnownNetwork> networks)
    {
        if (_request.BytesPerSecond is not null && networks.Find(n => n.Cni is not null) is { } foreign)
        {
            throw new MusterException(ErrorKind.Unsupported, $"The limit of the network's bandwidth cannot be enforced in network {foreign.Name}, whose links a CNI plugin makes: chain the plugin bandwidth in its list, or start the pod with --ignore-isolator=resource/network-bandwidth");
        }
    }

    // Each end limits what it sends: the host's what the pod receives, the pod's what it gives. They go with the pair.
    private void LimitRate(RouteSocket inside, string link, int eth, int mtu)
    {
        if (_request.BytesPerSecond is not { } rate)
        {
            return;
        }

        try
        {
            _host.Execute(new NetlinkBatch().LimitRate(_host.Get(link).Index, rate, mtu));
            inside.Execute(new NetlinkBatch().LimitRate(eth, rate, mtu));
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTSUP)
        {
            throw new MusterException(ErrorKind.Unsupported, "The limit of the network's bandwidth cannot be enforced by this kernel: it needs CONFIG_NET_SCH_TBF (the module sch_tbf), or start the pod with --ignore-isolator=resource/network-bandwidth", e);
        }
    }

    private void BeginNameServers()
    {
        foreach (var joined in Served())
        {
            if (!NameServer.IsInstalled)
            {
                _warn?.Invoke("dnsmasq is not installed, so pods do not know each other by name and use the host's resolvers: install the package dnsmasq-base");
                return;
            }

            _starting.Add(new NameServer(_paths, joined.Network).Begin());
        }
    }

    // Always in the same order, as each start holds a lock: two pods that join the same networks must not wait for each other.
    private List<Joined> Served() => [.. _joined.Where(j => j.Network.Dns).OrderBy(j => j.Network.Name, StringComparer.Ordinal)];

    private static RouteSocket MakeNamespace(string path) => NetworkNamespace.Create(path, () =>
    {
        // A neighbour on the same bridge must not be able to give a pod routes.
        if (NetworkNamespace.ReadSetting("ipv6/conf/default/accept_ra") is not null)
        {
            NetworkNamespace.WriteSetting("ipv6/conf/default/accept_ra", "0");

            // Addresses are unique by their owner files; probing would take the first second.
            NetworkNamespace.WriteSetting("ipv6/conf/default/accept_dad", "0");

            // Its link-local address is made from the hardware address, whatever the host's default is: the filter knows no other.
            NetworkNamespace.WriteSetting("ipv6/conf/default/addr_gen_mode", "0");
        }

        var inside = new RouteSocket();
        inside.Execute(new NetlinkBatch().SetUp(1));
        return inside;
    });

    private void Connect(Joined joined, SafeFileHandle handle, RouteSocket inside)
    {
        var mac = MacOf(joined.Addresses[0].Address);
        var link = MakeVeth(joined, mac, handle);
        _record = _record with { HostLinks = [.. _record.HostLinks, link] };
        var port = _host.Get(link).Index;
        var batch = new NetlinkBatch().Describe(link, "muster pod " + _request.Pod, noLinkLocal: true).LockPort(port, link, mac);
        if (_request.Ports.Count > 0)
        {
            batch.SetHairpin(port, link);
        }

        // Whoever claims a neighbour's address hears nothing of the host's answers, and a pod's gateway is nobody but the bridge.
        foreach (var (address, _) in joined.Addresses)
        {
            batch.AddNeighbour(joined.Bridge.Index, address, mac);
        }

        // Before the link is up. A kernel without such filters is told of by muster doctor, not at every start.
        _ = SenderFilter.TryPut(_host, port, mac, [.. joined.Addresses.Select(a => a.Address)]);
        _host.Execute(batch.SetUp(port));
        var eth = inside.Get(joined.Interface).Index;
        batch = new NetlinkBatch().SetUp(eth);
        foreach (var (address, subnet) in joined.Addresses)
        {
            batch.AddAddress(eth, address, subnet.PrefixLength);
            if (joined.Bridge.Mac is { } bridge)
            {
                batch.AddNeighbour(eth, subnet.Gateway, RouteRequests.ParseMac(bridge));
            }
        }

        var gateways = new List<string>();
        foreach (var subnet in joined.Addresses.Select(a => a.Subnet).Where(_ => joined.Position == 0))
        {
            batch.AddRoute(subnet.IsV6 ? IPAddress.IPv6Any : IPAddress.Any, 0, subnet.Gateway, eth);
            gateways.Add(subnet.Gateway.ToString());
        }

        inside.Execute(batch);
        LimitRate(inside, link, eth, joined.Network.Mtu is 0 ? 1500 : joined.Network.Mtu);
        _interfaces.Add(new PodInterface(
            joined.Network.Name,
            joined.Interface,
            link,
            RouteRequests.FormatMac(mac),
            [.. joined.Addresses.Select(a => $"{a.Address}/{a.Subnet.PrefixLength}")],
            gateways));
    }

    /// <summary>The hardware address, made from a pod's first address in a network: whoever has that next has the same, and no neighbour's table is wrong meanwhile.</summary>
    internal static byte[] MacOf(IPAddress first)
    {
        var address = first.GetAddressBytes();
        return [0x0a, address.Length == 4 ? (byte)0x58 : (byte)0x59, .. address[^4..]];
    }

    private string MakeVeth(Joined joined, byte[] mac, SafeFileHandle handle)
    {
        for (var attempt = 1; ; attempt++)
        {
            var name = _paths.Root.LinkName("v" + Random.Shared.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 5));
            try
            {
                _host.Execute(new NetlinkBatch().AddVeth(new VethRequest
                {
                    Name = name,
                    Master = joined.Bridge.Index,
                    StaysDown = true,
                    PeerName = joined.Interface,
                    PeerMac = mac,
                    PeerNamespace = (int)handle.DangerousGetHandle(),
                    Mtu = joined.Network.Mtu,
                }));
                return name;
            }
            catch (LinuxException e) when (e.Errno == Errno.EEXIST && attempt < LinkNameAttempts)
            {
                // Somebody has the name: draw another.
            }
        }
    }

    private CniResult JoinCni(CniConfiguration configuration, NetworkChoice choice, int position, string path)
    {
        var attachment = new CniAttachment
        {
            Network = configuration.Name,
            Interface = "eth" + position,
            Configuration = configuration.Document,
            Arguments = choice.Arguments,
            // One list publishes the ports: a managed network if there is one, else the first that can.
            Ports = _joined.Count == 0 && CniPlugins.TakesPorts(configuration) && !_record.Cni.Any(c => c.Ports.Count > 0) ? _request.Ports : [],
        };
        _record = _record with { Cni = [.. _record.Cni, attachment] };
        _file.Write(_record);
        var answer = CniPlugins.Add(attachment, _request.Pod.ToString(), path);
        attachment = attachment with { Result = answer };
        _record = _record with { Cni = [.. _record.Cni.SkipLast(1), attachment] };
        _file.Write(_record);
        var result = CniResult.Parse(answer, attachment.Interface, configuration.Name);
        _interfaces.Add(new PodInterface(configuration.Name, attachment.Interface, result.HostLink, result.Mac ?? "", result.Addresses, result.Gateways));
        return result;
    }

    private void OpenPorts()
    {
        if (_request.Ports.Count == 0 || _joined.Count == 0)
        {
            return;
        }

        var (v4, v6) = (_joined[0].First(v6: false)?.ToString(), _joined[0].First(v6: true)?.ToString());
        List<OwnedPort> ports = [.. _request.Ports.Select(p => new OwnedPort(p.Protocol, Canonical(p.HostAddress), p.HostPort, p.PodPort, v4, v6))];
        foreach (var port in ports.Where(p => !PacketRules.Elements(p).Any()))
        {
            throw new MusterException(ErrorKind.Invalid, $"Port {port.HostPort} cannot be published on {port.HostAddress} because network {_joined[0].Network.Name} has no address of that family: leave the host address away");
        }

        if (ports.Find(p => p.HostAddress is not null && IPAddress.Parse(p.HostAddress).Equals(IPAddress.IPv6Loopback)) is { } loopback)
        {
            throw new MusterException(ErrorKind.Unsupported, $"Port {loopback.HostPort} cannot be published on ::1 because Linux translates no address of IPv6's loopback: use 127.0.0.1");
        }

        using var held = NetworkPaths.TakeHostLock();
        using var netfilter = new NetfilterSocket();
        new HostPorts(_paths).Claim(_request.Pod, ports, netfilter);
        _record = _record with { Ports = ports };
        _file.Write(_record);
        _rules.Open(netfilter, ports);
    }

    // The kernel learns a moment later, by a worker, that the far end is up; until then the bridge drops what the pod sends.
    private void AwaitCarrier()
    {
        foreach (var link in _record.HostLinks)
        {
            for (var waited = 0; waited < CarrierMilliseconds && !_host.Get(link).Running; waited++)
            {
                Descriptors.Poll([], 1);
            }
        }
    }

    private static string? Canonical(string? address) => address is null ? null : IPAddress.Parse(address).ToString();

    // The networks whose server answers.
    private HashSet<string> FinishNameServers()
    {
        var served = new HashSet<string>(StringComparer.Ordinal);
        var waiting = Served();
        for (var i = 0; i < _starting.Count; i++)
        {
            var joined = waiting[i];
            new NameServer(_paths, joined.Network).Announce(_request.Pod, _request.PodName, _request.AppNames, joined.Addresses.Select(a => a.Address));
            if (_starting[i].Wait() is { } problem)
            {
                _warn?.Invoke($"{problem}; pods use the host's resolvers and do not know each other by name until it starts");
            }
            else
            {
                served.Add(joined.Network.Name);
            }
        }

        return served;
    }

    private PodNetworkState State(string path, List<KnownNetwork> networks, HashSet<string> served, List<CniResult> cni)
    {
        IReadOnlyList<string> servers = [];
        IReadOnlyList<string> search = [];
        if (networks.Count > 0)
        {
            (servers, search) = HostResolvers.Read();
            var own = _joined.Where(j => served.Contains(j.Network.Name)).SelectMany(j => j.Network.Prefixes.OrderBy(p => p.IsV6).Select(p => p.Gateway.ToString())).ToList();
            var theirs = cni.SelectMany(c => c.Nameservers).Distinct().ToList();
            servers = own.Count > 0 ? own : theirs.Count > 0 ? theirs : servers;
            search = [.. cni.SelectMany(c => c.Search).Concat(search).Distinct().Take(HostResolvers.MaxSearchDomains)];
        }

        return new PodNetworkState
        {
            NamespacePath = path,
            Interfaces = [.. _interfaces.OrderBy(i => i.Name, StringComparer.Ordinal)],
            Ports = _request.Ports,
            Nameservers = [.. servers.Take(HostResolvers.MaxNameservers)],
            SearchDomains = search,
        };
    }
}
