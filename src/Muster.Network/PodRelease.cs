using System.Net;
using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>Takes back what pods own: from a complete record directly, from anything less by looking everywhere.</summary>
internal sealed class PodRelease
{
    private readonly NetworkPaths _paths;
    private readonly PacketRules _rules;
    private readonly ManagedNetworks _managed;

    public PodRelease(NetworkPaths paths, PacketRules rules, ManagedNetworks managed)
    {
        _paths = paths;
        _rules = rules;
        _managed = managed;
    }

    /// <summary>Takes back all that one pod owns; its record, which is locked, goes last.</summary>
    public void Release(PodRecordFile file, Guid pod, Action<string>? warn)
    {
        var record = file.Read();
        if (record is null || !record.Complete)
        {
            ReleaseHalfMade(file, record, pod, warn);
            return;
        }

        ClosePorts(file, record);
        LeaveCni(record, warn);
        SilenceLinks(record);

        // Deleting a veth link costs 25 ms of waiting in the kernel. Without its namespace it goes by itself, a moment later.
        NetworkNamespace.Remove(_paths.Namespace(pod));
        ForgetNeighbours(record.Addresses);
        foreach (var address in record.Addresses)
        {
            new AddressBook(_paths, address.Network).Release(address.Address, pod);
        }

        foreach (var network in record.Networks)
        {
            LeaveNames(network, pod);
        }

        file.Delete();
    }

    /// <summary>See <see cref="PodNetworks.SweepAsync"/>.</summary>
    public void Sweep(Func<Guid, bool> isAlive, Action<string>? warn, CancellationToken ct)
    {
        if (!Directory.Exists(_paths.State))
        {
            return;
        }

        StateFolders.Prepare(_paths);
        foreach (var path in Directory.EnumerateDirectories(_paths.Pods).ToList())
        {
            ct.ThrowIfCancellationRequested();
            if (Guid.TryParse(Path.GetFileName(path), out var pod) && !isAlive(pod) && PodRecordFile.TryOpen(_paths, pod) is { } file)
            {
                using (file)
                {
                    Release(file, pod, warn);
                }
            }
        }

        using var route = new RouteSocket();
        SweepStrays(route);
        TakeDownIdle(route);
    }

    private void ReleaseHalfMade(PodRecordFile file, PodRecord? record, Guid pod, Action<string>? warn)
    {
        if (record is not null)
        {
            ClosePorts(file, record);
            LeaveCni(record, warn);
            SilenceLinks(record);
        }

        new HostPorts(_paths).ReleaseAll(owner => owner == pod);
        NetworkNamespace.Remove(_paths.Namespace(pod));
        if (Directory.Exists(_paths.Networks))
        {
            foreach (var folder in Directory.EnumerateDirectories(_paths.Networks))
            {
                var network = Path.GetFileName(folder);
                var book = new AddressBook(_paths, network);
                var own = book.All().Where(a => a.Pod == pod).Select(a => a.Address).ToList();
                ForgetNeighbours([.. own.Select(a => new OwnedAddress(network, a))]);
                foreach (var address in own)
                {
                    book.Release(address, pod);
                }

                LeaveNames(network, pod);
            }
        }

        file.Delete();
    }

    // A program elsewhere that was given a socket of the pod keeps the namespace and its links, whatever is removed here. Nothing
    // comes from a locked port whose hardware address is forgotten.
    private static void SilenceLinks(PodRecord record)
    {
        using var route = new RouteSocket();
        foreach (var (network, link) in record.Networks.Zip(record.HostLinks))
        {
            if (record.Addresses.FirstOrDefault(a => a.Network == network) is { } first && route.Find(link) is { } port)
            {
                route.Execute(new NetlinkBatch().ForgetPort(port.Index, link, PodSetUp.MacOf(IPAddress.Parse(first.Address))), Errno.ENOENT, Errno.ENODEV, Errno.EINVAL, Errno.ENOTSUP);
            }
        }
    }

    // While the addresses are still owned: it must not hit what their next owners write.
    private void ForgetNeighbours(IReadOnlyList<OwnedAddress> addresses)
    {
        if (addresses.Count == 0)
        {
            return;
        }

        using var route = new RouteSocket();
        foreach (var address in addresses)
        {
            if (_managed.Up(address.Network) is { } network && route.Find(network.Bridge) is { } bridge && IPAddress.TryParse(address.Address, out var parsed))
            {
                route.Execute(new NetlinkBatch().DeleteNeighbour(bridge.Index, parsed), Errno.ENOENT, Errno.ENODEV);
            }
        }
    }

    // Under the host's lock and off the record first: somebody who loads the table anew meanwhile must not open them again.
    private void ClosePorts(PodRecordFile file, PodRecord record)
    {
        if (record.Ports.Count == 0)
        {
            return;
        }

        using var held = NetworkPaths.TakeHostLock();
        _rules.Close(record.Ports);
        file.Write(record with { Ports = [], Complete = false });
        var ports = new HostPorts(_paths);
        foreach (var port in record.Ports)
        {
            ports.Release(record.Pod, port);
        }
    }

    private void LeaveCni(PodRecord record, Action<string>? warn)
    {
        foreach (var attachment in record.Cni.Reverse())
        {
            try
            {
                CniPlugins.Delete(attachment, record.Pod.ToString(), _paths.Namespace(record.Pod));
            }
            catch (MusterException e)
            {
                // The rest must be taken back all the same; the namespace's end removes its links anyway.
                warn?.Invoke(e.Message);
            }
        }
    }

    private void LeaveNames(string network, Guid pod)
    {
        if (_managed.Up(network) is { } up)
        {
            // The server stays as long as the bridge: starting it again costs the next pod 14 ms.
            new NameServer(_paths, up).Withdraw(pod);
        }
    }

    // What no record tells of: links whose pod has none, owner files without an owner, namespaces without a record.
    private void SweepStrays(RouteSocket route)
    {
        const string alias = "muster pod ";
        var prefix = _paths.Root.LinkName("v");
        foreach (var link in route.Links())
        {
            if (link.Name.StartsWith(prefix, StringComparison.Ordinal)
                && (link.Alias is null ? NothingIsBeingMade() : link.Alias.StartsWith(alias, StringComparison.Ordinal) && Guid.TryParse(link.Alias.AsSpan(alias.Length), out var pod) && !HasRecord(pod)))
            {
                route.Delete(link.Name);
            }
        }

        foreach (var path in Directory.EnumerateFiles(_paths.Namespaces))
        {
            if (Guid.TryParse(Path.GetFileName(path), out var pod) && !HasRecord(pod))
            {
                NetworkNamespace.Remove(path);
            }
        }

        new HostPorts(_paths).ReleaseAll(IsStray);
        foreach (var folder in Directory.EnumerateDirectories(_paths.Networks))
        {
            foreach (var path in Files(Path.Combine(folder, "addresses")).Where(p => IsStray(OwnerFile.Read(p))))
            {
                File.Delete(path);
            }

            foreach (var path in Files(Path.Combine(folder, "hosts")).Where(p => Guid.TryParse(Path.GetFileName(p).TrimStart('.'), out var pod) && !HasRecord(pod)))
            {
                File.Delete(path);
            }
        }
    }

    // A link without an alias is being made this moment, or its maker was killed before it could name it: then no record is locked.
    private bool NothingIsBeingMade()
    {
        foreach (var path in Directory.EnumerateDirectories(_paths.Pods))
        {
            if (FileLock.TryTakeDirectory(path) is not { } held)
            {
                return false;
            }

            held.Dispose();
        }

        return true;
    }

    private bool HasRecord(Guid pod) => Directory.Exists(_paths.Pod(pod));

    private bool IsStray(Guid? owner) => owner is not { } pod || !HasRecord(pod);

    private void TakeDownIdle(RouteSocket route)
    {
        using var held = NetworkPaths.TakeHostLock();
        foreach (var network in _managed.AllUp())
        {
            if (new AddressBook(_paths, network.Name).IsEmpty)
            {
                new NameServer(_paths, network).StopIfIdle();
                _managed.TakeDown(network, route);
            }
        }

        // A bridge whose maker was killed before it could write down that the network is up.
        var bridge = _paths.Root.LinkName("n");
        var known = _managed.AllUp().Select(n => n.Bridge).ToHashSet(StringComparer.Ordinal);
        foreach (var link in route.Links().Where(l => l.Name.StartsWith(bridge, StringComparison.Ordinal) && l.Name.AsSpan(bridge.Length).IndexOfAnyExceptInRange('0', '9') < 0 && !known.Contains(l.Name)))
        {
            route.Delete(link.Name);
        }

        ServiceCgroup.Remove(_paths.Root);

        // Without any network there is no table either; this also ends one that a kill left behind.
        if (_managed.AllUp().Count == 0)
        {
            _rules.Load();
        }
    }

    private static IEnumerable<string> Files(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [];
}
