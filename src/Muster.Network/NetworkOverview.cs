using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>A network as listings show it.</summary>
public sealed record NetworkView
{
    public required string Name { get; init; }

    /// <summary><c>managed</c> (ours) or <c>cni</c>.</summary>
    public required string Kind { get; init; }

    /// <summary><c>up</c> or <c>down</c> for ours; <c>plugins</c> for CNI, whose state only its plugins know.</summary>
    public required string State { get; init; }

    public string? Bridge { get; init; }

    /// <summary>Prefixes; empty until an automatic network has been used for the first time.</summary>
    public IReadOnlyList<string> Subnets { get; init; } = [];

    public bool Nat { get; init; }

    public bool Dns { get; init; }

    public int Mtu { get; init; }

    /// <summary>The CNI plugins, in order.</summary>
    public IReadOnlyList<string> Plugins { get; init; } = [];

    /// <summary>The definition's file; null for the built-in network.</summary>
    public string? File { get; init; }

    /// <summary>The name server's pid while it runs.</summary>
    public int? NameServer { get; init; }

    public IReadOnlyList<NetworkMember> Pods { get; init; } = [];
}

/// <summary>A pod on a network and what it owns there.</summary>
public sealed record NetworkMember(Guid Pod, IReadOnlyList<string> Addresses, IReadOnlyList<string> Ports);

/// <summary>Source-generated JSON of listings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NetworkView))]
[JsonSerializable(typeof(NetworkCheck))]
public sealed partial class NetworkViewJson : JsonSerializerContext;

/// <summary>Looking at, defining and removing networks.</summary>
public sealed class NetworkOverview
{
    private readonly NetworkPaths _paths;
    private readonly NetworkCatalog _catalog;
    private readonly ManagedNetworks _managed;

    /// <summary>The networks of a root.</summary>
    public NetworkOverview(MusterRoot root)
    {
        _paths = new NetworkPaths(root);
        _catalog = new NetworkCatalog(root);
        _managed = new ManagedNetworks(_paths, new PacketRules(_paths));
    }

    /// <summary>Pods that are not shown though their network is not taken back yet: they have ended, and somebody clears them.</summary>
    public Func<Guid, bool>? IsLeaving { get; init; }

    /// <summary>Every network, by name; what cannot be read is told to <paramref name="warn"/>.</summary>
    public IReadOnlyList<NetworkView> List(Action<string> warn)
    {
        var records = Records();
        return [.. _catalog.List(warn).Select(n => View(n, records))];
    }

    /// <summary>One network, or a refusal that names what there is.</summary>
    public NetworkView Inspect(string name) => View(_catalog.Find(name), Records());

    /// <summary>Kernel settings that were changed for networks since the boot, one sentence each.</summary>
    public IReadOnlyList<string> HostChanges() => System.IO.File.Exists(_paths.HostChanges) ? System.IO.File.ReadAllLines(_paths.HostChanges) : [];

    /// <summary>Writes a definition and returns its file; refuses prefixes that another network of this root has.</summary>
    public string Create(NetworkDefinition definition)
    {
        var wanted = (definition.Subnets ?? []).Select(s => Subnet.TryParse(s, out var subnet) ? subnet : (Subnet?)null).OfType<Subnet>().ToList();
        foreach (var other in List(_ => { }).Where(n => n.Name != definition.Name))
        {
            foreach (var text in other.Subnets)
            {
                if (Subnet.TryParse(text, out var theirs) && wanted.Exists(w => w.Overlaps(theirs)))
                {
                    throw new MusterException(ErrorKind.Conflict, $"Network {definition.Name} cannot have {string.Join(", ", wanted)} because network {other.Name} has {theirs}: choose other subnets");
                }
            }
        }

        return _catalog.Create(definition);
    }

    /// <summary>Takes a network down and removes its definition and what was chosen for it; refused while pods use it.</summary>
    public void Remove(string name)
    {
        // What a leaving pod holds is held all the same.
        var view = View(_catalog.Find(name), AllRecords());
        if (view.Pods.Count > 0)
        {
            throw new MusterException(ErrorKind.Busy, $"Network {name} is used by {Quantity.Counted(view.Pods.Count, "pod")} ({string.Join(", ", view.Pods.Take(3).Select(p => p.Pod))}): stop them first, or run muster gc if they are gone");
        }

        if (view.Kind == "managed")
        {
            using var held = NetworkPaths.TakeHostLock();
            if (!new AddressBook(_paths, name).IsEmpty)
            {
                throw new MusterException(ErrorKind.Busy, $"Network {name} is just being joined by a pod: try again, or run muster gc if that pod is gone");
            }

            if (_managed.Up(name) is { } up)
            {
                using var route = new RouteSocket();
                new NameServer(_paths, up).StopIfIdle();
                _managed.TakeDown(up, route);
            }

            _managed.Forget(name);
        }

        if (view.File is not null)
        {
            System.IO.File.Delete(view.File);
        }
    }

    private NetworkView View(KnownNetwork network, IReadOnlyList<PodRecord> records)
    {
        if (network.Cni is { } cni)
        {
            return new NetworkView
            {
                Name = network.Name,
                Kind = "cni",
                State = "plugins",
                File = network.File,
                Plugins = [.. cni.Plugins.Select(p => CniConfiguration.Text(p, "type")!)],
                Pods = [.. records.Where(r => r.Cni.Any(c => c.Network == network.Name)).Select(r => CniMember(r, network.Name))],
            };
        }

        var definition = network.Definition!;
        var up = _managed.Up(network.Name);
        var known = up ?? _managed.Chosen(network.Name);
        return new NetworkView
        {
            Name = network.Name,
            Kind = "managed",
            State = up is null ? "down" : "up",
            Bridge = definition.Bridge ?? known?.Bridge,
            Subnets = definition.Subnets ?? known?.Subnets ?? [],
            Nat = definition.Nat,
            Dns = definition.Dns,
            Mtu = definition.Mtu,
            File = network.File,
            NameServer = up is null ? null : new NameServer(_paths, up).RunningPid(),
            Pods = [.. records.Where(r => r.Addresses.Any(a => a.Network == network.Name)).Select(r => Member(r, network.Name))],
        };
    }

    private static NetworkMember Member(PodRecord record, string network) => new(
        record.Pod,
        [.. record.Addresses.Where(a => a.Network == network).Select(a => a.Address)],
        record.Networks.Count > 0 && record.Networks[0] == network ? [.. record.Ports.Select(p => $"{PortMappings.HostEnd(p.HostAddress, p.HostPort)}:{p.PodPort}/{p.Protocol}")] : []);

    private static NetworkMember CniMember(PodRecord record, string network)
    {
        var attachment = record.Cni.First(c => c.Network == network);
        IReadOnlyList<string> addresses = attachment.Result is { } result ? CniResult.Parse(result, attachment.Interface, network).Addresses : [];
        return new NetworkMember(record.Pod, addresses, [.. attachment.Ports.Select(p => $"{p.HostPort}:{p.PodPort}/{p.Protocol}")]);
    }

    private IReadOnlyList<PodRecord> Records() => IsLeaving is { } leaving ? [.. AllRecords().Where(r => !leaving(r.Pod))] : AllRecords();

    private IReadOnlyList<PodRecord> AllRecords() => Directory.Exists(_paths.Pods)
        ? [.. Directory.EnumerateDirectories(_paths.Pods).Select(PodRecordFile.Peek).OfType<PodRecord>()]
        : [];
}
