using System.Net;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>
/// Gives pods their network and takes it back. What a pod owns is written down before it exists and forgotten after it is
/// gone, so that a kill at any point leaves only what <see cref="TearDownAsync"/> and <see cref="SweepAsync"/> remove.
/// Calls of several processes and threads work side by side; only bringing a network up and publishing ports wait for each other.
/// </summary>
public sealed class PodNetworks
{
    /// <summary>The most networks of one pod: interfaces are named eth0 to eth15.</summary>
    public const int MaxNetworks = 16;

    private readonly NetworkPaths _paths;
    private readonly NetworkCatalog _catalog;
    private readonly PacketRules _rules;
    private readonly ManagedNetworks _managed;
    private readonly PodRelease _release;

    /// <summary>The networks of the pods of a root.</summary>
    public PodNetworks(MusterRoot root, TimeProvider time)
    {
        _paths = new NetworkPaths(root);
        _catalog = new NetworkCatalog(root);
        _rules = new PacketRules(_paths);
        _managed = new ManagedNetworks(_paths, _rules);
        _release = new PodRelease(_paths, _rules, _managed);
        _ = time;
    }

    /// <summary>Told one sentence about what is not as good as it could be, such as a missing dnsmasq.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>
    /// Makes the pod's namespace, links, addresses, names and ports; after a failure nothing of it is left. The work is done
    /// on the calling thread (a few milliseconds); only CNI plugins may take longer.
    /// </summary>
    public Task<PodNetworkState> SetUpAsync(NetworkRequest request, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var networks = Resolve(request);
        StateFolders.Prepare(_paths);
        using var record = PodRecordFile.Create(_paths, request.Pod);
        using var undo = new UndoStack(e => Warn?.Invoke($"While taking back the network of pod {request.Pod}: {e.Message}"));
        undo.Push(() => _release.Release(record, request.Pod, Warn));
        using var setUp = new PodSetUp(_paths, _rules, _managed, request, record, Warn);
        var state = setUp.Run(networks, ct);
        undo.Commit();
        return Task.FromResult(state);
    }

    /// <summary>Takes back all that the pod has of the network; does nothing when it has nothing. Works from any half-made state.</summary>
    public Task TearDownAsync(Guid pod, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (PodRecordFile.Open(_paths, pod) is { } record)
        {
            using (record)
            {
                _release.Release(record, pod, Warn);
            }
        }
        else if (File.Exists(_paths.Namespace(pod)))
        {
            NetworkNamespace.Remove(_paths.Namespace(pod));
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// Removes what belongs to pods that are gone, after kills and reboots, and takes down networks that no pod uses.
    /// A pod whose network is being set up just now is left alone, whatever <paramref name="isAlive"/> says of it.
    /// </summary>
    public Task SweepAsync(Func<Guid, bool> isAlive, CancellationToken ct)
    {
        _release.Sweep(isAlive, Warn, ct);
        return Task.CompletedTask;
    }

    /// <summary>
    /// What of a pod's network is not as it was set up; empty when all is well, null when there is nothing to judge: the pod has no
    /// network any more, or another command makes it or takes it back this moment. CNI networks are asked by CHECK (CNI spec,
    /// section 2, "CHECK"), ours are looked at.
    /// </summary>
    public IReadOnlyList<string>? Check(Guid pod)
    {
        // Held to the end: what is taken back under our eyes would look like a fault.
        using var held = PodRecordFile.TryOpen(_paths, pod);
        if (held is null)
        {
            return null;
        }

        if (held.Read() is not { Complete: true } record)
        {
            return [$"pod {pod} has no network"];
        }

        var problems = new List<string>();
        if (!NetworkNamespace.Exists(_paths.Namespace(pod)))
        {
            problems.Add($"the namespace file {_paths.Namespace(pod)} is gone");
        }

        using var route = new RouteSocket();
        problems.AddRange(record.HostLinks.Where(l => route.Find(l) is not { Up: true, Master: > 0 }).Select(l => $"link {l} is gone, down or on no bridge"));
        using var netfilter = new NetfilterSocket();
        problems.AddRange(record.Ports
            .Where(p => PacketRules.Elements(p).Any(e => !netfilter.HasElement(_rules.Table, e)))
            .Select(p => $"host port {p.HostPort}/{p.Protocol} is not in table {_rules.Table}"));
        foreach (var attachment in record.Cni)
        {
            try
            {
                CniPlugins.Check(attachment, pod.ToString(), _paths.Namespace(pod));
            }
            catch (MusterException e)
            {
                problems.Add(e.Message);
            }
        }

        return problems;
    }

    // Everything that can be refused without touching the host is refused here, all of it at once.
    private List<KnownNetwork> Resolve(NetworkRequest request)
    {
        var problems = new List<string>(PortMappings.Problems(request.Ports));
        if (!AcName.IsName(request.PodName))
        {
            problems.Add($"pod name \"{request.PodName}\" cannot be a DNS name: use lower-case letters, digits and single dashes");
        }

        problems.AddRange(request.AppNames.Where(a => !AcName.IsName(a)).Select(a => $"app name \"{a}\" cannot be a DNS name"));
        var choices = request.Networks;
        if (choices.Count > MaxNetworks || choices.Select(c => c.Name).Distinct().Count() != choices.Count)
        {
            problems.Add($"a pod joins at most {MaxNetworks} networks, each once");
        }

        if (choices.Any(c => c.Name == "host"))
        {
            problems.Add("network host cannot be combined with others");
        }

        var none = choices.Count == 0 || choices.Any(c => c.Name == "none");
        if (none && choices.Count > 1)
        {
            problems.Add("network none cannot be combined with others");
        }

        if (none && request.Ports.Count > 0)
        {
            problems.Add("ports cannot be published without a network: leave --net=none or the ports away");
        }

        if (problems.Count > 0)
        {
            throw new MusterException(ErrorKind.Invalid, $"The network of pod {request.PodName} cannot be set up: {string.Join("; ", problems)}");
        }

        return none ? [] : [.. choices.Select(c => _catalog.Find(c.Name))];
    }
}
