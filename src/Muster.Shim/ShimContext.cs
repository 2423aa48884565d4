using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>What the parts of a shim share: the plan, the pod directory, the runtime, the children nobody has claimed yet.</summary>
internal sealed class ShimContext
{
    /// <summary>Children that ended before their pid was known; more than this many at once cannot be ours.</summary>
    private const int MaxUnclaimed = 4096;

    private readonly Dictionary<int, int> _unclaimed = [];
    private readonly List<int> _lost = [];

    public ShimContext(SupervisionPlan plan, string podDirectory, bool foreground, TimeProvider time)
    {
        Plan = plan;
        PodDirectory = podDirectory;
        Foreground = foreground;
        Time = time;
        Runtime = new RuntimeCalls(plan, podDirectory);
        DirectoryDescriptor = DescriptorLock.Open(podDirectory);
        Control = new ControlServer(podDirectory);
    }

    public SupervisionPlan Plan { get; }

    public string PodDirectory { get; }

    public bool Foreground { get; }

    public TimeProvider Time { get; }

    /// <summary>The caller's descriptor for an app's output; -1 in the background, and once it could not be written to.</summary>
    public int Tee(int descriptor) => Foreground && !_lost.Contains(descriptor) ? descriptor : -1;

    /// <summary>Writes no more to a caller's descriptor, and says so once.</summary>
    public void GiveUp(int descriptor, LinuxException why)
    {
        if (!_lost.Contains(descriptor))
        {
            _lost.Add(descriptor);
            ShimOptions.Say($"standard {(descriptor == 1 ? "output" : "error")} takes no more ({why.Message}): the pod goes on, \"muster logs\" shows what it writes");
        }
    }

    public RuntimeCalls Runtime { get; }

    public ControlServer Control { get; }

    /// <summary>True once the pod is told to end: nothing is started any more.</summary>
    public bool Stopping { get; set; }

    /// <summary>True when an app is process 1 of its PID namespace.</summary>
    public bool AppsAreInit => Plan.Infra is null;

    /// <summary>True when another process clears the pod after this one has ended.</summary>
    public bool ClearedBehind => Plan is { RemoveWhenDone: true, GarbageDirectory: not null };

    /// <summary>True when nothing of an ended app has to be cleared before the pod ends: its end ended all its processes.</summary>
    public bool LeavesToEnd => AppsAreInit && Plan.Apps.Count == 1;

    /// <summary>Set by anything that status.json shows.</summary>
    public bool StatusIsStale { get; set; }

    /// <summary>Where the runtime's own complaints go when a terminal takes the app's: nowhere, its log has them.</summary>
    public int RuntimeErrors => -1;

    private int DirectoryDescriptor { get; }

    public void Changed() => StatusIsStale = true;

    /// <summary>A path to a file of the pod directory short enough for a socket address, valid in other processes of root.</summary>
    public string ShortPath(string name) => $"/proc/{Environment.ProcessId}/fd/{DirectoryDescriptor}/{name}";

    public void LeaveUnclaimed(int pid, int status)
    {
        if (_unclaimed.Count < MaxUnclaimed)
        {
            _unclaimed[pid] = status;
        }
    }

    public int? TakeUnclaimed(int pid) => _unclaimed.Remove(pid, out var status) ? status : null;

    /// <summary>Forgets what nobody can claim any more: called when no app is being started.</summary>
    public void ForgetUnclaimed() => _unclaimed.Clear();
}
