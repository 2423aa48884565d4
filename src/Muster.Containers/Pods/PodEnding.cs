using Muster.Containers.Accounts;
using Muster.Containers.Metadata;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Linux;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>Ends pods, puts right what a killed supervisor left, and removes what is no longer wanted.</summary>
public sealed class PodEnding
{
    // Clearing takes milliseconds; on a busy host a few hundred.
    private static readonly TimeSpan MostClearing = TimeSpan.FromSeconds(5);

    private readonly PodStore _store;
    private readonly PodNetworks _networks;
    private readonly TimeProvider _time;
    private readonly MetadataRegistration _metadata;

    /// <param name="self">The words that run muster on this root, for a metadata service that has to be started anew.</param>
    public PodEnding(PodStore store, PodNetworks networks, IReadOnlyList<string> self, TimeProvider time)
    {
        _metadata = new MetadataRegistration(store.Root, self, time);
        _store = store;
        _networks = networks;
        _time = time;
    }

    /// <summary>
    /// Asks a running pod to end and waits until it has: its stop signal, the grace, then SIGKILL. An orphaned pod's processes
    /// are ended directly. A pod that does not run is left as it is.
    /// </summary>
    public async Task StopAsync(PodDirectory pod, TimeSpan? grace, CancellationToken ct)
    {
        if (_store.StateOf(pod) is not (PodState.Running or PodState.Paused or PodState.Orphaned))
        {
            return;
        }

        if (_store.StateOf(pod) == PodState.Paused)
        {
            Resume(pod);
        }

        await EndByShimAsync(pod, grace, ct);
        if (_store.TryFind(pod.Uuid) is { } now)
        {
            using (now)
            {
                if (_store.StateOf(now) == PodState.Orphaned)
                {
                    await EndOrphanAsync(now, grace ?? TimeSpan.FromSeconds(10), ct);
                }
            }
        }
    }

    // A supervisor that was started a moment ago does not listen yet, one that clears does no longer, and one whose socket somebody
    // removed hears its signal only.
    private async Task EndByShimAsync(PodDirectory pod, TimeSpan? grace, CancellationToken ct)
    {
        for (var began = _time.GetTimestamp(); _time.GetElapsedTime(began) < MostClearing; await Task.Delay(TimeSpan.FromMilliseconds(20), _time, ct))
        {
            using var now = _store.TryFind(pod.Uuid);
            if (now is null || _store.StateOf(now) is not (PodState.Running or PodState.Paused))
            {
                return;
            }

            using var shim = ShimClient.TryConnect(now);
            if (shim is null)
            {
                continue;
            }

            shim.Ask("stop", json =>
            {
                if (grace is { } time)
                {
                    json.WriteNumber("graceMs"u8, (int)Math.Min(time.TotalMilliseconds, 86_400_000));
                }
            });
            await WaitUntilFreeAsync(pod, ct);
            return;
        }

        Signals.Send(Supervisor(pod), Signals.SIGTERM);
        await WaitUntilFreeAsync(pod, ct);
    }

    private static int Supervisor(PodDirectory pod) =>
        pod.ReadStatus() is { ShimPid: > 1 } status && status.BootId == ProcessControl.BootId() && ProcessControl.StartTime(status.ShimPid) == status.ShimStartTime
            ? status.ShimPid
            : throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} runs on: its supervisor does not answer at {pod.File("control")}, and status.json does not say which process it is; send SIGTERM to its muster-shim");

    /// <summary>Waits until nobody holds the pod's lock.</summary>
    public async Task WaitUntilFreeAsync(PodDirectory pod, CancellationToken ct)
    {
        // The lock is the truth, and blocking on it wakes at once; a thread does, for the time that the pod runs.
        int descriptor;
        try
        {
            descriptor = DescriptorLock.Open(_store.TryFind(pod.Uuid)?.Path ?? pod.Path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return;
        }

        await Task.Factory.StartNew(
            () =>
            {
                DescriptorLock.Acquire(descriptor, shared: true);
                Descriptors.Close(descriptor);
            },
            ct,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).WaitAsync(ct);
    }

    /// <summary>Freezes every app of a running pod.</summary>
    public void Pause(PodDirectory pod) => EachContainer(pod, "pause");

    /// <summary>Lets a frozen pod go on.</summary>
    public void Resume(PodDirectory pod) => EachContainer(pod, "resume");

    /// <summary>
    /// Puts right every pod that lost its supervisor and has no process left: its runtime state, cgroups, addresses and ports
    /// are released and it becomes an exited pod that says "supervisor lost". Half-prepared pods are left to <see cref="CollectAsync"/>.
    /// </summary>
    public async Task RecoverAsync(CancellationToken ct)
    {
        foreach (var pod in _store.All().Where(p => p.StateFolder == PodStore.Run))
        {
            using (pod)
            {
                if (_store.StateOf(pod) == PodState.Exited)
                {
                    await RecoverAsync(pod, ct);
                }
            }
        }
    }

    /// <summary>
    /// Makes free what pods hold that are no more: waits, for <see cref="MostClearing"/> at most, until those that are being cleared
    /// are gone, and puts right those that lost their supervisor.
    /// </summary>
    public async Task PutRightAsync(CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(MostClearing, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        foreach (var pod in _store.All().Where(PodStore.IsBeingCleared).ToList())
        {
            using (pod)
            {
                try
                {
                    await WaitUntilFreeAsync(pod, either.Token);
                }
                catch (OperationCanceledException) when (!ct.IsCancellationRequested)
                {
                    // What it holds may not be what is wanted.
                }
            }
        }

        await RecoverAsync(ct);
    }

    /// <summary>Removes an ended or prepared pod; a living one is busy unless <paramref name="force"/> ends it first.</summary>
    public async Task RemoveAsync(PodDirectory pod, bool force, CancellationToken ct)
    {
        var state = _store.StateOf(pod);
        if (state is PodState.Running or PodState.Paused or PodState.Orphaned)
        {
            if (!force)
            {
                throw new MusterException(ErrorKind.Busy, $"Pod {pod.Uuid} is {state.ToString().ToLowerInvariant()}: stop it first, or remove it with --force");
            }

            await StopAsync(pod, TimeSpan.Zero, ct);
        }

        if (_store.TryFind(pod.Uuid) is not { } found)
        {
            return;
        }

        using var locked = _store.Lock(found);
        if (locked.StateFolder == PodStore.Run)
        {
            await ReleaseAsync(locked, ct);
        }

        Delete(locked);
    }

    /// <summary>What <see cref="CollectAsync"/> did or would do.</summary>
    public sealed record Collected(Guid Pod, string Why);

    /// <summary>
    /// Removes pods that ended longer ago than <paramref name="grace"/>, prepared ones older than <paramref name="expirePrepared"/>,
    /// aborted preparations and half-removed pods; then sweeps what belongs to pods that no longer exist and to trials of runtimes.
    /// </summary>
    public async Task<IReadOnlyList<Collected>> CollectAsync(TimeSpan grace, TimeSpan expirePrepared, bool markOnly, CancellationToken ct)
    {
        var collected = new List<Collected>();
        MusterException? failure = null;
        await RecoverAsync(ct);
        var now = _time.GetUtcNow();
        foreach (var pod in _store.All())
        {
            using (pod)
            {
                if (PodStore.IsBeingCleared(pod))
                {
                    // It comes last on a busy host; whoever collects wants it gone. What it leaves, should it be killed, is collected here.
                    await WaitUntilFreeAsync(pod, ct);
                    if (!Directory.Exists(pod.Path))
                    {
                        continue;
                    }
                }

                if (Reason(pod, now, grace, expirePrepared) is not { } why)
                {
                    continue;
                }

                if (!markOnly)
                {
                    try
                    {
                        using var locked = _store.Lock(pod);
                        await ReleaseAsync(locked, ct);
                        Delete(locked);
                    }
                    catch (MusterException e) when (e.Kind == ErrorKind.Busy)
                    {
                        continue;
                    }
                    catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
                    {
                        // One that cannot be removed keeps none of the others.
                        failure ??= new MusterException(ErrorKind.Internal, $"Pod {pod.Uuid} could not be removed ({e.Message}); what else was to go is gone", e);
                        continue;
                    }
                }

                collected.Add(new Collected(pod.Uuid, why));
            }
        }

        if (!markOnly)
        {
            await _metadata.SweepAsync(_store.IsAlive, ct);
            await _networks.SweepAsync(_store.IsAlive, ct);
            _store.SweepCgroups();
            RuntimeProbe.Sweep(_store.Root);
            _store.RemoveRootCgroup();
        }

        return failure is null ? collected : throw failure;
    }

    /// <summary>Removes a pod that this process has locked and that never started.</summary>
    public void Discard(PodDirectory locked) => Delete(locked);

    /// <summary>Releases addresses, ports, names in DNS and the like: called by the shim when the last process has ended.</summary>
    public async Task ReleaseNetworkAsync(PodDirectory pod, CancellationToken ct)
    {
        await _metadata.UnregisterAsync(pod.Uuid, ct);
        await _networks.TearDownAsync(pod.Uuid, ct);
        File.Delete(pod.File("network.json"));
        if (pod.ReadRecord().RemoveWhenDone)
        {
            IdRanges.Release(_store.Root, pod.Uuid);
        }
    }

    private string? Reason(PodDirectory pod, DateTimeOffset now, TimeSpan grace, TimeSpan expirePrepared)
    {
        switch (_store.StateOf(pod))
        {
            case PodState.Aborted:
                return "its preparation was aborted";
            case PodState.Deleting when !DescriptorLock.IsHeld(pod.Path):
                return "its removal was aborted";
            case PodState.Prepared when now - pod.ReadRecord().CreatedAt >= expirePrepared:
                return "it was prepared and never run";
            // Where a full disk kept its end from being written, its folder's last change tells it.
            case PodState.Exited when now - (pod.ReadStatus()?.ExitedAt ?? new DateTimeOffset(Directory.GetLastWriteTimeUtc(pod.Path))) >= grace:
                return "it has ended";
            default:
                return null;
        }
    }

    private async Task RecoverAsync(PodDirectory pod, CancellationToken ct)
    {
        try
        {
            using var locked = _store.Lock(pod);
            // One that has come to its end by itself meanwhile has lost nothing.
            if (locked.StateFolder == PodStore.Run)
            {
                await PutAwayAsync(locked, ct);
            }
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Busy)
        {
            // Another verb is putting it right.
        }
        catch (IOException)
        {
            // What its apps wrote cannot be deleted: "gc" and "rm" say so, and no other pod has to wait for it.
        }
    }

    private async Task EndOrphanAsync(PodDirectory pod, TimeSpan grace, CancellationToken ct)
    {
        using var locked = _store.Lock(pod);
        var deadline = _time.GetTimestamp();
        var signal = grace > TimeSpan.Zero ? Signals.SIGTERM : Signals.SIGKILL;
        foreach (var pid in _store.Processes(pod.Uuid))
        {
            Signals.Send(pid, signal);
        }

        // It may have been paused when its supervisor was killed.
        _store.Thaw(pod.Uuid);
        while (_store.Processes(pod.Uuid) is { Count: > 0 } left)
        {
            if (_time.GetElapsedTime(deadline) >= grace)
            {
                foreach (var pid in left)
                {
                    Signals.Send(pid, Signals.SIGKILL);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), _time, ct);
        }

        await PutAwayAsync(locked, ct);
    }

    // What its supervisor would have done at its end: a pod that was not to be kept goes whole.
    private async Task PutAwayAsync(PodDirectory locked, CancellationToken ct)
    {
        await ReleaseAsync(locked, ct);
        if (IsRemovedWhenDone(locked))
        {
            Delete(locked);
            return;
        }

        MarkLost(locked);
        locked.MoveTo(PodStore.Exited);
    }

    private static bool IsRemovedWhenDone(PodDirectory pod)
    {
        try
        {
            return pod.ReadRecord().RemoveWhenDone;
        }
        catch (MusterException)
        {
            // A record that cannot be read says nothing; what its supervisor was told may. Else what is kept can still be looked at.
            return PlanOf(pod)?.RemoveWhenDone ?? false;
        }
    }

    private static Core.Supervision.SupervisionPlan? PlanOf(PodDirectory pod)
    {
        try
        {
            return pod.Read("plan.json", PodJson.Default.SupervisionPlan);
        }
        catch (MusterException)
        {
            return null;
        }
    }

    private void MarkLost(PodDirectory pod)
    {
        var status = pod.ReadStatus() ?? new PodStatus();
        pod.Write("status.json", status with { ExitedAt = _time.GetUtcNow(), ExitStatus = status.ExitStatus ?? 254, Error = "supervisor lost" }, PodJson.Default.PodStatus);
    }

    /// <summary>Everything that a pod holds outside its folder, in the order in which it was taken, backwards.</summary>
    private async Task ReleaseAsync(PodDirectory pod, CancellationToken ct)
    {
        var plan = PlanOf(pod);
        if (plan is not null && pod.StateFolder is PodStore.Run or PodStore.Garbage)
        {
            foreach (var app in plan.Infra is { } infra ? plan.Apps.Append(infra) : plan.Apps)
            {
                var ids = app.PreStart.Concat(app.PostStop).Select(h => h.Id).Append(app.Id);
                foreach (var id in ids.Where(id => Directory.Exists(Path.Combine(_store.Root.Run, "runtime", id))))
                {
                    Spawn.Wait(Spawn.Start(plan.Runtime, [plan.Runtime, .. plan.RuntimeArguments, "delete", "--force", id], Spawn.Environment()));
                }
            }
        }

        _store.RemoveCgroups(pod.Uuid);
        await _metadata.UnregisterAsync(pod.Uuid, ct);
        await _networks.TearDownAsync(pod.Uuid, ct);
        File.Delete(pod.File("network.json"));
    }

    private void Delete(PodDirectory pod)
    {
        string? name = null;
        try
        {
            name = pod.ReadRecord().Name;
        }
        catch (MusterException)
        {
            // A preparation that was killed before it wrote its record: find its name by who it belongs to.
            name = NameOf(pod.Uuid);
        }

        if (pod.StateFolder != PodStore.Garbage && !pod.MoveTo(PodStore.Garbage))
        {
            return;
        }

        IdRanges.Release(_store.Root, pod.Uuid);
        DirectoryHandle.RemoveAll(pod.Path);
        _store.ReleaseName(name, pod.Uuid);
    }

    private string? NameOf(Guid uuid)
    {
        var folder = Path.Combine(_store.Root.Pods, "names");
        return !Directory.Exists(folder) ? null : Directory.GetFiles(folder).Select(Path.GetFileName).FirstOrDefault(n => File.ReadAllText(Path.Combine(folder, n!)) == uuid.ToString());
    }

    private void EachContainer(PodDirectory pod, string verb)
    {
        var state = _store.StateOf(pod);
        if (state is not (PodState.Running or PodState.Paused))
        {
            throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} is {state.ToString().ToLowerInvariant()}, not running");
        }

        var plan = pod.Read("plan.json", PodJson.Default.SupervisionPlan)!;
        var status = pod.ReadStatus();
        var running = plan.Apps.Where(a => status?.Apps.GetValueOrDefault(a.Name)?.Phase == "running").ToList();
        if (running.Count == 0)
        {
            throw new MusterException(ErrorKind.Conflict, $"No app of pod {pod.Uuid} runs just now: \"muster status\" tells what they do");
        }

        foreach (var app in running)
        {
            var log = Descriptors.InMemory("log", []);
            try
            {
                if (Spawn.Wait(Spawn.Start(plan.Runtime, [plan.Runtime, .. plan.RuntimeArguments, "--log", Descriptors.PathOf(log), "--log-format", "json", verb, app.Id], Spawn.Environment())) != 0)
                {
                    var why = RuntimeLog.Failure(Descriptors.PathOf(log))?.Text;
                    throw new MusterException(ErrorKind.Upstream, $"The OCI runtime could not {verb} app \"{app.Name}\"{(why is null ? "" : $": {why}")}");
                }
            }
            finally
            {
                Descriptors.Close(log);
            }
        }
    }
}
