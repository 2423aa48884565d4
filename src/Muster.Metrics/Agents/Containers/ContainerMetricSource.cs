using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Containers;

/// <summary>All containers, a row each, and their interfaces; only what is asked of those that are asked is read.</summary>
internal sealed class ContainerMetricSource : Source
{
    private static readonly string[] Description = ["state", "start_time", "restarts", "kind", "id", "pid"];
    private static readonly string[] EventKinds = ["oom_kill", "throttled", "restart"];
    private static readonly string[] All = [.. Description, .. CpuPart.Columns, .. MemoryPart.Columns, .. UsePart.Columns, .. NetworkPart.Columns, .. EventKinds];

    private static readonly int Cpu = Description.Length;
    private static readonly int Memory = Cpu + CpuPart.Columns.Length;
    private static readonly int Use = Memory + MemoryPart.Columns.Length;
    private static readonly int Network = Use + UsePart.Columns.Length;
    private static readonly int Events = Network + NetworkPart.Columns.Length;

    private readonly ContainerCatalog _containers;
    private readonly CounterLedger _ledger;
    private readonly EventJournal _journal;
    private readonly InstanceNames _names = new();
    private readonly CpuPart _cpu;
    private readonly ScratchSheets _scratch = new(All.Length);
    private readonly ContainerCgroups _groups;
    private readonly MemoryPart _memory;
    private readonly UsePart _use;
    private readonly NetworkPart _network = new();
    private Numbered _numbered = new([], [], []);
    private string _labels = "";
    private int _labelGeneration;

    public ContainerMetricSource(ContainerCatalog containers, ContainerCgroups groups, CounterLedger ledger, EventJournal journal, TimeProvider time, InstanceDomainId domain, InstanceDomainId interfaces)
        : base(ContainerScope.Container, new SheetShape(domain, All), new SheetShape(interfaces, NetworkPart.InterfaceColumns))
    {
        _containers = containers;
        _ledger = ledger;
        _journal = journal;
        _groups = groups;
        _cpu = new CpuPart(groups);
        _memory = new MemoryPart(groups);
        _use = new UsePart(groups, time);
    }

    /// <inheritdoc/>
    public override InstanceSelection ProbeSelection => InstanceSelection.Nothing;

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => true;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var (containers, interfaces) = (sheets[0], sheets[1]);
        _groups.Tree.Refresh();
        if (context.Container is { } only)
        {
            foreach (var container in _containers.All)
            {
                if (container.Name == only.Name || container.Name.StartsWith(only.Name + "/", StringComparison.Ordinal))
                {
                    Read(container, _names.Find(container.Name).Id, context.View.Client, containers, interfaces);
                }
            }

            return;
        }

        var numbered = Number();
        if (containers.Selection.Listed is { } listed && containers.WantsAny && !containers.WantsNames && !interfaces.WantsAny)
        {
            foreach (var id in listed)
            {
                if (numbered.ById.TryGetValue(id, out var container))
                {
                    Read(container, id, context.View.Client, containers, interfaces);
                }
            }

            return;
        }

        for (var i = 0; i < numbered.Containers.Count; i++)
        {
            if (containers.Selection.Wants(numbered.Ids[i]) || interfaces.WantsAny || interfaces.WantsNames)
            {
                // One that is read for its interfaces alone is not shown: its events stay untold.
                Read(numbered.Containers[i], numbered.Ids[i], containers.Selection.Wants(numbered.Ids[i]) ? context.View.Client : null, containers, interfaces);
            }
        }
    }

    /// <summary>Grows when the labels of any container have changed.</summary>
    public int LabelGeneration
    {
        get
        {
            Number();
            return _labelGeneration;
        }
    }

    /// <summary>Looks at what becomes events, and at counters that a container may take with it when it ends.</summary>
    public void Sample()
    {
        var all = _containers.All;
        _groups.Tree.Refresh();
        foreach (var container in all)
        {
            SampleOne(container);
        }

        _journal.Retain(all.Select(c => c.Name).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>Reads the counters of a container whose last process has just ended, while its groups are still there.</summary>
    public void SampleEnd(ContainerDescription container)
    {
        _groups.Tree.Refresh();
        SampleOne(container);
    }

    private void SampleOne(ContainerDescription container)
    {
        if (IsAlive(container))
        {
            var sheet = new Sheet(All.Length);
            sheet.Want(Cpu);
            sheet.Want(Cpu + 3);
            sheet.Want(Memory + 7);
            sheet.Want(Use);
            sheet.Want(Network);
            Read(container, 0, client: null, sheet, new Sheet(NetworkPart.InterfaceColumns.Length));
        }

        NoteEvents(container, _ledger.Open(container.Name));
    }

    /// <summary>Whether a container has processes, as far as its engine has said.</summary>
    internal static bool IsAlive(ContainerDescription container) =>
        container.State is ContainerState.Running or ContainerState.Paused or ContainerState.Orphaned or ContainerState.Restarting;

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance)
    {
        if (instance < 0)
        {
            return [new("device_type", domain == Shapes[0].Domain ? "container" : "interface"), new("indom_name", domain == Shapes[0].Domain ? "per container" : "per container, per interface")];
        }

        return domain == Shapes[0].Domain && Number().ById.TryGetValue(instance, out var container) ? [new("container", container.Name), .. container.Labels] : [];
    }

    private void Read(ContainerDescription container, int id, ClientMemory? client, Sheet sheet, Sheet interfaces)
    {
        var row = sheet.AddRow(id, container.Name);
        var account = _ledger.Open(container.Name);
        SetDescription(container, account, sheet, row);
        if (sheet.WantsAnyOf(Cpu, Memory))
        {
            _cpu.Read(container, account, sheet, row, Cpu);
        }

        if (sheet.WantsAnyOf(Memory, Use))
        {
            _memory.Read(container, account, sheet, row, Memory);
        }

        if (sheet.WantsAnyOf(Use, Network))
        {
            _use.Read(container, account, sheet, row, Use);
        }

        // Traffic is the namespace's, which the apps of a pod share: it is told once, for the pod.
        if (container.Kind != ContainerKind.App && (sheet.WantsAnyOf(Network, Events) || interfaces.WantsAny || interfaces.WantsNames))
        {
            _network.Read(container, account, sheet, row, Network, interfaces);
        }

        if (sheet.WantsAnyOf(Events, Events + EventKinds.Length))
        {
            ReadEvents(container, account, client, sheet, row);
        }
    }

    private void ReadEvents(ContainerDescription container, CounterLedger.Account account, ClientMemory? client, Sheet sheet, int row)
    {
        // What was asked for besides has been counted a moment ago.
        var (hasCpu, hasMemory) = (sheet.WantsAnyOf(Cpu + 3, Cpu + 6), sheet.WantsAnyOf(Memory + 7, Memory + 9));
        if (!hasCpu || !hasMemory)
        {
            using var loan = _scratch.Rent();
            var at = loan.Sheet.AddRow(0);
            if (!hasCpu)
            {
                loan.Sheet.Want(Cpu + 3);
                _cpu.Read(container, account, loan.Sheet, at, Cpu);
            }

            if (!hasMemory)
            {
                loan.Sheet.Want(Memory + 8);
                _memory.Read(container, account, loan.Sheet, at, Memory);
            }
        }

        NoteEvents(container, account);
        for (var i = 0; i < EventKinds.Length; i++)
        {
            // What is given to a client is not given to it again: only what it asks for.
            if (!sheet.Wants(Events + i))
            {
                continue;
            }

            sheet.Set(row, Events + i, MetricValue.From(_journal.Events(container.Name, EventKinds[i], client)));
        }
    }

    private void NoteEvents(ContainerDescription container, CounterLedger.Account account)
    {
        _journal.Note(container.Name, "oom_kill", account.Total("memory.oom_kills") ?? 0);
        _journal.Note(container.Name, "throttled", account.Total("cpu.throttled") ?? 0);
        _journal.Note(container.Name, "restart", Restarts(container, account));
    }

    private static void SetDescription(ContainerDescription container, CounterLedger.Account account, Sheet sheet, int row)
    {
        sheet.Set(row, 0, (long)container.State);
        if (container.StartedAt is { } started)
        {
            sheet.Set(row, 1, started.ToUnixTimeSeconds());
        }

        sheet.Set(row, 2, Restarts(container, account));
        sheet.Set(row, 3, KindName(container.Kind));
        sheet.Set(row, 4, container.Id);
        sheet.Set(row, 5, container.InitPid);
    }

    // What the engine restarted, and each time that a container of the name was made anew; or the starts, which know more where
    // somebody restarted a container by hand. A pod starts once, however often its apps are started again.
    private static long Restarts(ContainerDescription container, CounterLedger.Account account)
    {
        var starts = container.StartedAt is { } started ? account.Begin("starts", $"{container.Id} {started.ToUnixTimeMilliseconds()}") : account.Begin("starts", null);
        var made = account.Begin("made", container.StartedAt is null ? null : container.Id);
        return Math.Max(account.Add("restarts", "engine", NameEpoch(container.Id), container.Restarts) + Math.Max(0, made - 1), starts - 1);
    }

    private static ulong NameEpoch(string id)
    {
        ulong hash = 14695981039346656037;
        foreach (var c in id)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }

    private static string KindName(ContainerKind kind) => kind switch
    {
        ContainerKind.Pod => "pod",
        ContainerKind.App => "app",
        ContainerKind.Docker => "docker",
        ContainerKind.Podman => "podman",
        _ => "lxc",
    };

    private Numbered Number()
    {
        var all = _containers.All;
        var known = _numbered;
        if (ReferenceEquals(known.Containers, all))
        {
            return known;
        }

        var ids = all.Select(c => _names.Find(c.Name).Id).ToArray();
        var labels = string.Join('\n', all.Select(c => $"{c.Name} {string.Join(' ', c.Labels)}"));
        if (Interlocked.Exchange(ref _labels, labels) != labels)
        {
            Interlocked.Increment(ref _labelGeneration);
        }

        return _numbered = new Numbered(all, ids, ids.Zip(all).ToDictionary(p => p.First, p => p.Second));
    }

    private sealed record Numbered(IReadOnlyList<ContainerDescription> Containers, int[] Ids, Dictionary<int, ContainerDescription> ById);
}
