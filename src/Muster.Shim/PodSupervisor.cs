using System.Text.Json;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// One pod from its first mount to its last: a single-threaded loop over signals, children, streams and the control socket.
/// It is the parent (subreaper) of everything in the pod and the only holder of the pod's lock.
/// </summary>
internal sealed class PodSupervisor
{
    // A supervisor that has outlived its start only waits: the code that started the pod need not stay mapped beside it for days.
    private const int SlimAfterMilliseconds = 2000;

    private readonly ShimOptions _options;
    private readonly SupervisionPlan _plan;
    private readonly ShimContext _context;
    private readonly List<AppSupervision> _apps;
    private readonly StatusFile _status;
    private readonly int _signals;
    private readonly int _cgroupLock;
    private int _infraPid;
    private int _exitStatus;
    private bool _failed;
    private bool _ready;
    private long _killAt = long.MaxValue;
    private long _slimAt = long.MaxValue;
    private string? _error;
    private TerminalSettings? _callerTerminal;

    private PodSupervisor(ShimOptions options, SupervisionPlan plan)
    {
        _options = options;
        _plan = plan;
        _cgroupLock = DescriptorLock.Open(plan.CgroupLock, create: true);
        DescriptorLock.Acquire(_cgroupLock, shared: true);
        _signals = Signals.OpenSupervised();
        _context = new ShimContext(plan, options.Directory, options.Foreground, TimeProvider.System);
        _apps = plan.Apps.Select(app => new AppSupervision(app, _context)).ToList();
        var requests = new PodRequests(_apps, plan, StopAll);
        _context.Control.OnRequest = requests.Answer;
        _context.Control.OnFrame = requests.Take;
        _status = new StatusFile(options.Directory, _context.Time.GetUtcNow());
    }

    /// <summary>Supervises the pod until it has ended and returns the status that stands for it.</summary>
    public static int Run(ShimOptions options)
    {
        var plan = ReadPlan(options.Directory);
        ProcessControl.BecomeSubreaper();
        var supervisor = new PodSupervisor(options, plan);
        return supervisor.Run();
    }

    internal static SupervisionPlan ReadPlan(string podDirectory)
    {
        var path = Path.Combine(podDirectory, "plan.json");
        SupervisionPlan? plan;
        try
        {
            plan = SupervisionPlanReader.Read(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{path} is not a plan that this muster-shim understands ({JsonFault.Of(e)}): remove the pod with \"muster rm\" and prepare it again");
        }

        return plan is { Version: <= SupervisionPlan.CurrentVersion }
            ? plan
            : throw new MusterException(ErrorKind.Unsupported, $"{path} was written by a newer Muster: use the muster-shim of the same build");
    }

    private int Run()
    {
        try
        {
            PodMounts.Make(_plan, _options.Directory);
            StartInfra();
            foreach (var app in _apps)
            {
                app.Start();
            }

            _context.Changed();
            PrepareCallerTerminal();
            Loop();
        }
        catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
        {
            _error = e.Message;
            Record(254);
            EndEverything();
        }

        return Finish();
    }

    private void StartInfra()
    {
        if (_plan.Infra is not { } infra)
        {
            return;
        }

        var pidFile = Path.Combine(_options.Directory, "pid-infra");
        var status = Spawn.Wait(_context.Runtime.StartDetached(infra.Id, infra.Bundle, pidFile, null, -1, -1, -1));
        if (status != 0)
        {
            throw new MusterException(ErrorKind.Upstream, _context.Runtime.ExplainFailure("infra").Sentence);
        }

        _infraPid = int.Parse(File.ReadAllText(pidFile));
        // The apps' bundles name these files, whichever process holds the namespaces this time.
        foreach (var kind in (ReadOnlySpan<string>)["pid", "ipc", "uts", "net", "user"])
        {
            var file = Path.Combine(_options.Directory, "ns", kind);
            if (File.Exists(file))
            {
                Mount.Bind($"/proc/{_infraPid}/ns/{kind}", file);
            }
        }
    }

    private void PrepareCallerTerminal()
    {
        if (_options.Foreground && _plan.Apps.Any(a => a.Terminal && a.Stdin == "inherit") && TerminalDevice.Is(0))
        {
            _callerTerminal = TerminalDevice.MakeRaw(0);
        }
    }

    private void Loop()
    {
        var polls = new List<PollFd>();
        var actions = new List<Action<short>>();
        while (!_apps.TrueForAll(a => a.Phase == AppPhase.Ended))
        {
            Settle();
            polls.Clear();
            actions.Clear();
            Gather(polls, actions);
            var span = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(polls);
            if (Descriptors.Poll(span, TimeoutMilliseconds()) > 0)
            {
                for (var i = 0; i < polls.Count; i++)
                {
                    if (polls[i].Returned != 0)
                    {
                        actions[i](polls[i].Returned);
                    }
                }
            }

            RunTimers();
        }

        Settle();
    }

    /// <summary>What follows from what has changed: the first failure ends the pod, readiness is told, status.json is written.</summary>
    private void Settle()
    {
        if (!_context.StatusIsStale)
        {
            return;
        }

        _context.StatusIsStale = false;
        // What has started was running, however soon it ended.
        var becameReady = !_ready && _apps.TrueForAll(a => a.HasStarted);
        if (becameReady)
        {
            _ready = true;
            _slimAt = Environment.TickCount64 + SlimAfterMilliseconds;
            _context.ForgetUnclaimed();
        }

        foreach (var app in _apps)
        {
            if (app.Phase == AppPhase.Ended && app.ExitStatus is not (null or 0) && !_failed)
            {
                _error ??= app.Failure;
                Record(app.ExitStatus.Value);
                StopAll(_plan.StopGraceMs);
            }
        }

        // Nobody reads the end of what is removed: replacing a file costs a millisecond on ext4.
        if (!(_context.ClearedBehind && _apps.TrueForAll(a => a.Phase == AppPhase.Ended)))
        {
            _status.Write(_apps, _infraPid, null, null, _error);
        }

        // Whoever waits may use the pod at once, and looks into the status for its processes.
        if (becameReady)
        {
            _options.ReportReady();
        }
    }

    private void Gather(List<PollFd> polls, List<Action<short>> actions)
    {
        void Add(int descriptor, short events, Action<short> action)
        {
            polls.Add(new PollFd { Descriptor = descriptor, Events = events });
            actions.Add(action);
        }

        Add(_signals, PollFd.In, _ => TakeSignals());
        Add(_context.Control.Listener, PollFd.In, _ => _context.Control.Accept());
        foreach (var client in _context.Control.Clients)
        {
            var events = (short)((client.WantsRead ? PollFd.In : 0) | (client.Backlog > 0 ? PollFd.Out : 0));
            Add(client.Socket, events, returned => ServeClient(client, returned));
        }

        foreach (var app in _apps)
        {
            foreach (var output in app.Streams.Outputs)
            {
                if (output.WantsTee)
                {
                    Add(output.Tee, PollFd.Out, _ => output.FlushTee());
                }
                else if (output.WantsRead)
                {
                    Add(output.Source, PollFd.In, _ =>
                    {
                        if (output.Source >= 0)
                        {
                            output.Pump(_context.Control);
                        }
                    });
                }
            }

            if (app.Streams.Input is { } input)
            {
                if (input.WantsWrite)
                {
                    Add(input.Sink, PollFd.Out, _ => FlushInput(input));
                }
                else if (input.WantsRead)
                {
                    Add(input.Source, PollFd.In, _ => input.Pump());
                }
            }
        }
    }

    private void FlushInput(AppInput input)
    {
        input.Flush();
        foreach (var client in _context.Control.Clients.ToArray())
        {
            _context.Control.Process(client);
        }
    }

    private void ServeClient(ControlClient client, short returned)
    {
        if ((returned & PollFd.Out) != 0)
        {
            client.Flush();
        }

        if (client.Socket < 0)
        {
            _context.Control.Drop(client);
        }
        else if ((returned & (PollFd.In | PollFd.HangUp | PollFd.Error)) != 0)
        {
            _context.Control.Serve(client);
        }
    }

    private void TakeSignals()
    {
        while (Signals.Next(_signals) is var signal and not 0)
        {
            switch (signal)
            {
                case Signals.SIGCHLD:
                    Reap();
                    break;
                case Signals.SIGTERM:
                    StopAll(_plan.StopGraceMs);
                    break;
                case Signals.SIGTTOU:
                    break;
                case Signals.SIGWINCH:
                    foreach (var app in _apps.Where(a => a.Streams.TerminalDescriptor >= 0 && _options.Foreground))
                    {
                        TerminalDevice.CopySize(0, app.Streams.TerminalDescriptor);
                    }

                    break;
                default:
                    foreach (var app in _apps)
                    {
                        app.Signal(signal);
                    }

                    break;
            }
        }
    }

    private void Reap()
    {
        while (Spawn.TryReap(out var pid, out var status))
        {
            if (pid == _infraPid)
            {
                _infraPid = 0;
                continue;
            }

            if (!_apps.Exists(a => a.TryClaim(pid, status)))
            {
                _context.LeaveUnclaimed(pid, status);
            }
        }
    }

    private int TimeoutMilliseconds()
    {
        var next = Math.Min(_killAt, _slimAt);
        foreach (var app in _apps)
        {
            if (app.Phase == AppPhase.BackOff)
            {
                next = Math.Min(next, app.ResumeAt);
            }

            next = Math.Min(next, app.KillAt);
        }

        return next == long.MaxValue ? -1 : (int)Math.Clamp(next - Environment.TickCount64, 0, int.MaxValue);
    }

    private void RunTimers()
    {
        var now = Environment.TickCount64;
        foreach (var app in _apps)
        {
            if (app.Phase == AppPhase.BackOff && now >= app.ResumeAt && !_context.Stopping)
            {
                app.Start();
                _context.Changed();
            }
            else if (now >= app.KillAt)
            {
                app.Kill();
            }
        }

        if (now >= _slimAt)
        {
            _slimAt = long.MaxValue;
            ProgramText.Release();
        }

        if (now >= _killAt)
        {
            _killAt = long.MaxValue;
            foreach (var app in _apps)
            {
                app.Kill();
            }
        }
    }

    private void StopAll(int graceMs)
    {
        _context.Stopping = true;
        _killAt = Math.Min(_killAt, Environment.TickCount64 + graceMs);
        foreach (var app in _apps)
        {
            app.Stop();
        }

        _context.Changed();
    }

    private void Record(int status)
    {
        if (!_failed)
        {
            _failed = true;
            _exitStatus = status;
        }
    }

    /// <summary>After a failure before or in the loop: nothing of the pod may go on.</summary>
    private void EndEverything()
    {
        _context.Stopping = true;
        foreach (var app in _plan.Apps)
        {
            _context.Runtime.Delete(app.Id);
        }
    }

    private int Finish()
    {
        if (_callerTerminal is { } settings)
        {
            TerminalDevice.Restore(0, settings);
        }

        foreach (var app in _apps)
        {
            app.Close();
        }

        if (_context.ClearedBehind && PodClearing.TryLeave(_plan, _options, TellEnd))
        {
            return _exitStatus;
        }

        if (_plan.Infra is { } infra)
        {
            EndNotices.Tell(_plan);
            _context.Runtime.Delete(infra.Id);
        }
        else if (_apps.Exists(a => a.IsLeft))
        {
            EndNotices.Tell(_plan);
            _context.Runtime.Forget(_plan.Apps[0].Id);
        }

        while (Spawn.TryReap(out _, out _))
        {
        }

        PodClearing.RemoveCgroup(_plan, _cgroupLock, CgroupHierarchies.Load());
        PodClearing.TearDown(_plan, _options);
        if (!_plan.RemoveWhenDone)
        {
            _status.Write(_apps, 0, _context.Time.GetUtcNow(), _exitStatus, _error);
        }

        TellEnd();
        Leave();
        return _exitStatus;
    }

    private void TellEnd()
    {
        if (!_ready || _error is not null)
        {
            _options.ReportFailure(_error ?? "The pod ended before it was running", _failed ? _exitStatus : 254);
        }

        _context.Control.Close();
    }

    private void Leave()
    {
        try
        {
            if (_plan.RemoveWhenDone)
            {
                // Out of sight first: what is half deleted is nobody's pod.
                var folder = _plan.GarbageDirectory ?? _options.Directory;
                if (_plan.GarbageDirectory is not null)
                {
                    Directory.Move(_options.Directory, folder);
                }

                PodClearing.Delete(folder);
                if (_plan.NameFile is not null)
                {
                    File.Delete(_plan.NameFile);
                }
            }
            else
            {
                Directory.Move(_options.Directory, _plan.ExitedDirectory);
            }
        }
        catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
        {
            // The next verb finds the lock free and does it again.
            _options.ReportFailure("The ended pod could not be put away: " + e.Message);
        }
    }
}
