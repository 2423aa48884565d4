using System.Text.Json;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>Brings networks of our own up (bridge, addresses, kernel settings, rules) and takes idle ones down.</summary>
internal sealed class ManagedNetworks
{
    // Names are mst, the tag, n and a number: three digits leave 1000 networks a root within 15 characters.
    private const int MaxBridges = 1000;

    private readonly NetworkPaths _paths;
    private readonly PacketRules _rules;

    public ManagedNetworks(NetworkPaths paths, PacketRules rules)
    {
        _paths = paths;
        _rules = rules;
    }

    /// <summary>The network as it is on the host, brought up when it is not; the bridge's link comes with it.</summary>
    /// <remarks>When all is there this costs one netlink request, one nfnetlink request and two small files.</remarks>
    public (ManagedNetwork Network, LinkInfo Bridge) BringUp(NetworkDefinition definition, RouteSocket route)
    {
        var name = definition.Name!;
        if (Up(name) is { } up && Matches(definition, up) && Ready(up, route) is { } bridge)
        {
            return (up, bridge);
        }

        using var host = NetworkPaths.TakeHostLock();
        var network = Choose(definition, route);
        using var undo = new UndoStack();
        bridge = route.Find(network.Bridge);
        if (bridge is not null && bridge.Alias != network.Alias)
        {
            TakeDownOutdated(network, bridge, route);
            bridge = null;
        }

        if (bridge is null)
        {
            undo.Push(() => route.Delete(network.Bridge));
            bridge = MakeBridge(network, route);
        }

        Directory.CreateDirectory(_paths.Addresses(name));
        WriteWhole(_paths.Up(name), network);
        undo.Push(() => File.Delete(_paths.Up(name)));
        Forwarding.Allow(network, route, _paths.HostChanges);
        _rules.Load();
        undo.Commit();
        return (network, bridge);
    }

    /// <summary>The network as it was last brought up; null when it is down.</summary>
    public ManagedNetwork? Up(string name) => ReadWhole(_paths.Up(name));

    /// <summary>What was chosen for the network when it was first used; null before that.</summary>
    public ManagedNetwork? Chosen(string name) => ReadWhole(_paths.ChosenFile(name));

    /// <summary>Every network that is up.</summary>
    public IReadOnlyList<ManagedNetwork> AllUp()
    {
        var networks = new List<ManagedNetwork>();
        if (Directory.Exists(_paths.Networks))
        {
            foreach (var folder in Directory.EnumerateDirectories(_paths.Networks))
            {
                if (ReadWhole(Path.Combine(folder, "up.json")) is { } network)
                {
                    networks.Add(network);
                }
            }
        }

        return networks;
    }

    /// <summary>Takes a network down: no pod may have an address of it. The host's lock must be held.</summary>
    public void TakeDown(ManagedNetwork network, RouteSocket route)
    {
        if (route.Find(network.Bridge) is { } bridge && bridge.Alias == network.Alias)
        {
            route.Delete(network.Bridge);
        }

        File.Delete(_paths.Up(network.Name));
        _rules.Load();
    }

    /// <summary>Forgets what was chosen for a network.</summary>
    public void Forget(string name)
    {
        if (File.Exists(_paths.ChosenFile(name)))
        {
            File.Delete(_paths.ChosenFile(name));
        }

        if (Directory.Exists(_paths.Network(name)))
        {
            Directory.Delete(_paths.Network(name), recursive: true);
        }
    }

    private static bool Matches(NetworkDefinition definition, ManagedNetwork up) =>
        (definition.Subnets is null || definition.Subnets.SequenceEqual(up.Subnets))
        && (definition.Bridge is null || definition.Bridge == up.Bridge)
        && definition.Nat == up.Nat && definition.Dns == up.Dns && definition.Mtu == up.Mtu;

    private LinkInfo? Ready(ManagedNetwork network, RouteSocket route) =>
        route.Find(network.Bridge) is { Up: true } bridge && bridge.Alias == network.Alias && _rules.AreLoaded() && Forwarding.IsAllowed(network, route)
            ? bridge
            : null;

    // An older definition's bridge may go only when nobody is on it.
    private void TakeDownOutdated(ManagedNetwork network, LinkInfo bridge, RouteSocket route)
    {
        if (bridge.Alias?.StartsWith($"muster network {network.Name} ", StringComparison.Ordinal) != true)
        {
            throw new MusterException(ErrorKind.Conflict, $"Link {network.Bridge} exists and does not belong to network {network.Name}: choose another bridge name in its definition");
        }

        if (!new AddressBook(_paths, network.Name).IsEmpty)
        {
            throw new MusterException(ErrorKind.Conflict, $"The definition of network {network.Name} was changed while pods use it: stop them first, or undo the change");
        }

        route.Delete(network.Bridge);
    }

    private ManagedNetwork Choose(NetworkDefinition definition, RouteSocket route)
    {
        var name = definition.Name!;
        var chosen = ReadWhole(_paths.ChosenFile(name));
        var network = new ManagedNetwork
        {
            Name = name,
            Bridge = definition.Bridge ?? chosen?.Bridge ?? FreeBridge(route),
            Subnets = definition.Subnets ?? chosen?.Subnets ?? [],
            Nat = definition.Nat,
            Dns = definition.Dns,
            Mtu = definition.Mtu,
        };

        // Our own bridge's route is no obstacle; anything else on the prefix is.
        var own = route.Find(network.Bridge) is { } bridge && bridge.Alias?.StartsWith($"muster network {name} ", StringComparison.Ordinal) == true ? bridge.Index : 0;
        var used = SubnetChoice.InUse(route.Routes().Where(r => r.Link != own || own == 0), route.Addresses().Where(a => a.Link != own || own == 0));
        var clash = network.Prefixes.Where(p => used.Any(u => u.Overlaps(p))).ToList();
        if (clash.Count > 0 && (definition.Subnets is not null || !new AddressBook(_paths, name).IsEmpty))
        {
            throw new MusterException(ErrorKind.Conflict, $"Network {name} cannot use {string.Join(", ", clash)} because a route of this host overlaps it: choose other subnets in its definition (ip route shows the routes)");
        }

        if (network.Subnets.Count == 0 || clash.Count > 0)
        {
            // Networks that are down have no route yet; their prefixes are spoken for all the same.
            used.AddRange(Others(name).SelectMany(n => n.Prefixes));
            var (v4, v6) = SubnetChoice.First(used, SubnetChoice.UlaOf(MachineId()));
            network = network with { Subnets = [v4.ToString(), v6.ToString()] };
        }

        if (network != chosen)
        {
            Directory.CreateDirectory(_paths.Chosen);
            WriteWhole(_paths.ChosenFile(name), network);
        }

        return network;
    }

    private IEnumerable<ManagedNetwork> Others(string name) => Directory.Exists(_paths.Chosen)
        ? Directory.EnumerateFiles(_paths.Chosen, "*.json").Select(ReadWhole).OfType<ManagedNetwork>().Where(n => n.Name != name)
        : [];

    private string FreeBridge(RouteSocket route)
    {
        var taken = route.Links().Select(l => l.Name).Concat(Others("").Select(n => n.Bridge)).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < MaxBridges; i++)
        {
            var name = _paths.Root.LinkName("n" + i);
            if (!taken.Contains(name))
            {
                return name;
            }
        }

        throw new MusterException(ErrorKind.Exhausted, $"This root has {MaxBridges} networks already: remove some with muster network rm");
    }

    private static string MachineId()
    {
        try
        {
            return File.ReadAllText("/etc/machine-id").Trim();
        }
        catch (IOException)
        {
            return Environment.MachineName;
        }
    }

    private static LinkInfo MakeBridge(ManagedNetwork network, RouteSocket route)
    {
        byte[] mac = [0x02, .. NameHash.Sha256(network.Alias + network.Bridge)[..5]];
        route.Execute(new NetlinkBatch().AddBridge(network.Bridge, mac, network.Mtu));
        var bridge = route.Get(network.Bridge);
        Set($"ipv6/conf/{network.Bridge}/accept_ra", "0");

        // While its link-local address is being probed, a bridge cannot ask for neighbours: the first second of IPv6 would be lost.
        Set($"ipv6/conf/{network.Bridge}/accept_dad", "0");

        // The alias comes last: a bridge without it was left half-made by a kill and is made anew.
        var batch = new NetlinkBatch();
        foreach (var prefix in network.Prefixes)
        {
            batch.AddAddress(bridge.Index, prefix.Gateway, prefix.PrefixLength);
        }

        route.Execute(batch.Describe(network.Bridge, network.Alias, noLinkLocal: false));
        return bridge with { Alias = network.Alias };
    }

    private static void Set(string name, string value)
    {
        if (NetworkNamespace.ReadSetting(name) is not null)
        {
            NetworkNamespace.WriteSetting(name, value);
        }
    }

    private static ManagedNetwork? ReadWhole(string file)
    {
        try
        {
            // Read member by member: making the metadata of the type costs a millisecond, at every start of a pod.
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = json.RootElement;
            return root.GetProperty("version").GetInt32() != ManagedNetwork.CurrentVersion ? null : new ManagedNetwork
            {
                Name = root.GetProperty("name").GetString()!,
                Bridge = root.GetProperty("bridge").GetString()!,
                Subnets = [.. root.GetProperty("subnets").EnumerateArray().Select(s => s.GetString()!)],
                Nat = root.GetProperty("nat").GetBoolean(),
                Dns = root.GetProperty("dns").GetBoolean(),
                Mtu = root.GetProperty("mtu").GetInt32(),
            };
        }
        catch (Exception e) when (e is IOException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static void WriteWhole(string file, ManagedNetwork network)
    {
        var beside = file + ".new";
        File.WriteAllBytes(beside, JsonSerializer.SerializeToUtf8Bytes(network, NetworkFilesJson.Default.ManagedNetwork));
        File.Move(beside, file, overwrite: true);
    }
}
