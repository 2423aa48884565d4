using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes;

/// <summary>
/// Which processes <c>proc.*</c> has: all, those of the container that the client named or of the control group that it chose,
/// and their threads too where the client or root wants them. Metrics of <c>proc.control</c> hold the choice.
/// </summary>
internal sealed class ProcessChoice(CgroupTree tree)
{
    /// <summary>The longest path of a control group (PATH_MAX).</summary>
    private const int MaxPath = 4096;

    private volatile bool _allThreads;

    /// <summary>Whether threads are instances for everybody.</summary>
    public bool AllThreads
    {
        get => _allThreads;
        set => _allThreads = value;
    }

    public CgroupTree Tree => tree;

    public static bool OwnThreads(MetricView view) => view.Client?.Find<Own>()?.Threads == true;

    public static string OwnGroup(MetricView view) => view.Client?.Find<Own>()?.Group ?? "";

    /// <summary>Sets a client's own choice of threads; false for a client that nothing can be remembered of.</summary>
    public static bool SetOwnThreads(MetricView view, bool wants)
    {
        if (view.Client is not { } client)
        {
            return false;
        }

        client.Get(static () => new Own()).Threads = wants;
        return true;
    }

    /// <summary>Sets a client's own control group, empty for none; false when it is no path, or nothing can be remembered.</summary>
    public static bool SetOwnGroup(MetricView view, string path)
    {
        if (view.Client is not { } client || path.Length > MaxPath || (path.Length > 0 && path[0] != '/') || path.Any(char.IsControl))
        {
            return false;
        }

        client.Get(static () => new Own()).Group = path;
        return true;
    }

    /// <summary>Whether the client sees every process and nothing else, so that one that it names need not be looked for.</summary>
    public bool IsEverything(ReadContext context) => context.Container is null && OwnGroup(context.View) is "" or "/" && !HasThreads(context.View);

    public bool HasThreads(MetricView view) => _allThreads || OwnThreads(view);

    /// <summary>The processes, or tasks, that the client sees, ascending.</summary>
    public List<int> List(ReadContext context)
    {
        var found = context.Container is { } container ? ContainerProcesses.Of(container, tree) : null;
        if (OwnGroup(context.View) is { Length: > 1 } path)
        {
            var group = ContainerProcesses.Of(new ContainerDescription { Name = path, Id = path, Kind = ContainerKind.Pod, State = ContainerState.Running, Cgroup = path.TrimEnd('/') }, tree);
            found = found is null ? group : [.. group.Intersect(found)];
        }

        found ??= ProcessFiles.All();
        return HasThreads(context.View) ? ProcessFiles.Threads(found) : found;
    }

    // Written by a client's own stores, read by its own fetches, which may overlap on another thread.
    private sealed class Own
    {
        public volatile bool Threads;

        private volatile string _group = "";

        public string Group
        {
            get => _group;
            set => _group = value;
        }
    }
}

/// <summary>The metrics of <c>proc.control</c>: storing them changes which processes and threads are instances.</summary>
internal sealed class ProcessControlSource(ProcessChoice choice) : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, ["all.threads", "perclient.threads", "perclient.cgroups"]))
{
    public const string Table = """
        proc.control.all.threads       10.1 - u32    instant none all.threads       | 1 when threads are instances of proc.* for every client; root may store it
        proc.control.perclient.threads 10.2 - u32    instant none perclient.threads | 1 when threads are instances of proc.* for this client, which may store it
        proc.control.perclient.cgroups 10.3 - string instant none perclient.cgroups | Control group whose processes alone are instances of proc.* for this client, which may store it; empty for all
        """;

    private const int Everybody = 0;
    private const int Threads = 1;
    private const int Group = 2;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var row = sheets[0].AddRow(-1);
        sheets[0].Set(row, Everybody, choice.AllThreads ? 1L : 0L);
        sheets[0].Set(row, Threads, ProcessChoice.OwnThreads(context.View) ? 1L : 0L);
        sheets[0].Set(row, Group, ProcessChoice.OwnGroup(context.View));
    }

    /// <inheritdoc/>
    public override bool IsClientsOwn(int column) => column is Threads or Group;

    /// <inheritdoc/>
    public override int Store(int column, MetricValue value, MetricView view)
    {
        if (column == Group)
        {
            return ProcessChoice.SetOwnGroup(view, value.Text) ? 0 : PcpError.BadStore;
        }

        if (value.Unsigned > 1)
        {
            return PcpError.BadStore;
        }

        if (column == Threads)
        {
            return ProcessChoice.SetOwnThreads(view, value.Unsigned == 1) ? 0 : PcpError.BadStore;
        }

        if (view.UserId != 0)
        {
            return PcpError.Permission;
        }

        choice.AllThreads = value.Unsigned == 1;
        return 0;
    }
}
