using System.Text.Json;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>Where an app is in its life.</summary>
internal enum AppPhase
{
    Waiting,
    PreStart,
    Starting,
    Running,
    BackOff,
    PostStop,
    Ended,
}

/// <summary>One app of the pod: its handlers, its process, its streams, its restarts. Driven by the supervisor's loop.</summary>
internal sealed class AppSupervision
{
    /// <summary>First and longest pause before a restart; it doubles between them.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>An app that ran this long starts again without the pauses that earlier failures earned.</summary>
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    private readonly PlannedApp _plan;
    private readonly ShimContext _context;
    private int _handler;
    private int _helperPid;
    private int _failuresInARow;
    private int? _impliedStatus;
    private bool _restartAsked;
    private DateTimeOffset? _startedAt;
    private DateTimeOffset? _exitedAt;

    public AppSupervision(PlannedApp plan, ShimContext context)
    {
        _plan = plan;
        _context = context;
        Streams = new AppStreams(plan, context);
    }

    public string Name => _plan.Name;

    public AppPhase Phase { get; private set; }

    /// <summary>The app's first process on the host; 0 when it does not run.</summary>
    public int Pid { get; private set; }

    /// <summary>The last exit status, once there was one.</summary>
    public int? ExitStatus { get; private set; }

    public int Restarts { get; private set; }

    /// <summary>Whether the runtime has started it at least once.</summary>
    public bool HasStarted => _startedAt is not null;

    public string? Failure { get; private set; }

    /// <summary>True when what the runtime keeps of the ended app is left to the pod's end.</summary>
    public bool IsLeft { get; private set; }

    public AppStreams Streams { get; }

    /// <summary>When a pause ends (milliseconds of <see cref="Environment.TickCount64"/>).</summary>
    public long ResumeAt { get; private set; }

    /// <summary>Begins, or begins again.</summary>
    public void Start()
    {
        if (IsLeft)
        {
            // A restart came at the very moment of its end: the pod goes on, and what was left to its end is in the way.
            Clear();
        }

        _handler = 0;
        _restartAsked = false;
        _impliedStatus = null;
        ExitStatus = null;
        if (Restarts > 0 && !RenewVolumes())
        {
            return;
        }

        if (_plan.PreStart.Count > 0)
        {
            Phase = AppPhase.PreStart;
            StartHandler(_plan.PreStart);
        }
        else
        {
            StartApp();
        }
    }

    /// <summary>A child has ended: true when it was this app's.</summary>
    public bool TryClaim(int pid, int status)
    {
        if (pid == _helperPid && pid != 0)
        {
            _helperPid = 0;
            HelperEnded(status);
            return true;
        }

        if (pid == Pid && pid != 0)
        {
            AppEnded(status);
            return true;
        }

        return false;
    }

    /// <summary>Sends a signal to the app's first process.</summary>
    public void Signal(int signal)
    {
        if (Pid == 0)
        {
            return;
        }

        // The kernel drops a signal that process 1 of a PID namespace has no handler for; outside a container its default
        // would end the program, so it does here.
        if (_context.AppsAreInit && EndsByDefault(signal) && IsUnhandled(signal))
        {
            _impliedStatus = 128 + signal;
            signal = Signals.SIGKILL;
        }
        else if (signal == Signals.SIGKILL)
        {
            _impliedStatus = null;
            Kill();
            return;
        }

        Signals.Send(Pid, signal);
    }

    // What is paused cannot end.
    private void Thaw() => CgroupHierarchies.Load().Thaw($"{_context.Plan.Cgroup}/{Name}");

    /// <summary>Asks the app to end for good.</summary>
    public void Stop()
    {
        switch (Phase)
        {
            case AppPhase.Waiting or AppPhase.BackOff:
                Finish();
                break;
            case AppPhase.PreStart:
                _context.Runtime.Delete(_plan.PreStart[_handler].Id);
                break;
            case AppPhase.Running:
                Signal(_plan.StopSignal);
                Thaw();
                break;
            case AppPhase.PostStop:
                KillAt = Math.Min(KillAt, Environment.TickCount64 + _context.Plan.StopGraceMs);
                break;
            default:
                // Starting: the supervisor stops it as soon as it runs; Ended: it has.
                break;
        }
    }

    /// <summary>
    /// When an app that is to restart and does not end, or a post-stop handler of a pod that is to end, is killed (milliseconds of
    /// <see cref="Environment.TickCount64"/>).
    /// </summary>
    public long KillAt { get; private set; } = long.MaxValue;

    /// <summary>Ends it, by SIGKILL after the grace, and starts it again.</summary>
    public void Restart(int graceMs)
    {
        _restartAsked = true;
        if (Phase == AppPhase.Running)
        {
            KillAt = Environment.TickCount64 + graceMs;
            Signal(_plan.StopSignal);
        }
        else if (Phase == AppPhase.BackOff)
        {
            ResumeAt = 0;
        }
        else if (Phase == AppPhase.Ended && !_context.Stopping)
        {
            Restarts++;
            Start();
            _context.Changed();
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        var isTime = Environment.TickCount64 >= KillAt;
        KillAt = isTime || Phase != AppPhase.PostStop ? long.MaxValue : KillAt;
        if (Pid != 0)
        {
            Signals.Send(Pid, Signals.SIGKILL);
            Thaw();
        }
        else if (Phase == AppPhase.PreStart)
        {
            _context.Runtime.Delete(_plan.PreStart[_handler].Id);
        }
        else if (Phase == AppPhase.PostStop && isTime)
        {
            // The app could have put anything in the place of what its handler starts.
            _context.Runtime.Delete(_plan.PostStop[_handler].Id);
        }
    }

    public void WriteStatus(Utf8JsonWriter json)
    {
        json.WriteStartObject(Name);
        json.WriteString("phase"u8, Phase switch
        {
            AppPhase.Waiting => "waiting"u8,
            AppPhase.PreStart => "pre-start"u8,
            AppPhase.Starting => "starting"u8,
            AppPhase.Running => "running"u8,
            AppPhase.BackOff => "back-off"u8,
            AppPhase.PostStop => "post-stop"u8,
            _ => "exited"u8,
        });
        if (Pid != 0)
        {
            json.WriteNumber("pid"u8, Pid);
        }

        if (_startedAt is { } started)
        {
            json.WriteString("startedAt"u8, started);
        }

        if (_exitedAt is { } exited)
        {
            json.WriteString("exitedAt"u8, exited);
        }

        if (ExitStatus is { } status)
        {
            json.WriteNumber("exitStatus"u8, status);
        }

        json.WriteNumber("restarts"u8, Restarts);
        if (Failure is not null)
        {
            json.WriteString("error"u8, Failure);
        }

        json.WriteEndObject();
    }

    /// <summary>Ends the log when the pod ends.</summary>
    public void Close() => Streams.Dispose();

    private void StartHandler(IReadOnlyList<PlannedHandler> handlers)
    {
        var output = Streams.OpenForHandler();
        _helperPid = _context.Runtime.StartAttached(handlers[_handler].Id, handlers[_handler].Bundle, output, output);
        Descriptors.Close(output);
    }

    private void StartApp()
    {
        Phase = AppPhase.Starting;
        var pidFile = PidFile;
        File.Delete(pidFile);
        if (_plan.Terminal)
        {
            _helperPid = _context.Runtime.StartDetached(_plan.Id, _plan.Bundle, pidFile, Streams.AwaitTerminal(), -1, -1, _context.RuntimeErrors);
            return;
        }

        var (stdin, stdout, stderr) = Streams.Open();
        _helperPid = _context.Runtime.StartDetached(_plan.Id, _plan.Bundle, pidFile, null, stdin, stdout, stderr);
        Descriptors.Close(stdin);
        Descriptors.Close(stdout);
        Descriptors.Close(stderr);
    }

    private string PidFile => Path.Combine(_context.PodDirectory, "pid-" + Name);

    private void HelperEnded(int status)
    {
        switch (Phase)
        {
            case AppPhase.PreStart when status != 0:
                Failure = $"The pre-start handler of app \"{Name}\" ended with status {status}";
                Fail(status);
                break;
            case AppPhase.PreStart:
                _handler++;
                if (_handler < _plan.PreStart.Count)
                {
                    StartHandler(_plan.PreStart);
                }
                else
                {
                    StartApp();
                }

                break;
            case AppPhase.Starting when status != 0:
                Streams.CloseHeld();
                var (code, sentence) = _context.Runtime.ExplainFailure(Name);
                Failure = sentence;
                Fail(code);
                break;
            case AppPhase.Starting:
                Started();
                break;
            case AppPhase.PostStop:
                _handler++;
                NextPostStop();
                break;
            default:
                break;
        }

        _context.Changed();
    }

    private void Started()
    {
        Streams.Release();
        Pid = int.Parse(File.ReadAllText(PidFile));
        _startedAt = _context.Time.GetUtcNow();
        Phase = AppPhase.Running;
        if (_context.TakeUnclaimed(Pid) is { } status)
        {
            AppEnded(status);
        }
        else if (_context.Stopping)
        {
            Stop();
        }
    }

    private void AppEnded(int status)
    {
        Pid = 0;
        KillAt = long.MaxValue;
        _exitedAt = _context.Time.GetUtcNow();
        status = _impliedStatus is { } implied && status == 137 ? implied : status;
        ExitStatus = status;
        Streams.End();
        var again = !_context.Stopping && (_restartAsked || _plan.Restart == "always" || (_plan.Restart == "on-failure" && status != 0));
        IsLeft = !again && _plan.PostStop.Count == 0 && _context.LeavesToEnd;
        if (!IsLeft)
        {
            Clear();
        }

        if (again)
        {
            PauseThenRestart();
        }
        else
        {
            _handler = 0;
            Phase = AppPhase.PostStop;
            NextPostStop();
        }

        _context.Changed();
    }

    private bool RenewVolumes()
    {
        try
        {
            VolumeMounts.Renew(_context.Plan);
            return true;
        }
        catch (Exception e) when (e is MusterException or LinuxException or IOException)
        {
            Failure = e.Message;
            Fail(254);
            return false;
        }
    }

    // Counted first, then removed from the runtime with its cgroups.
    private void Clear()
    {
        IsLeft = false;
        EndNotices.Tell(_context.Plan);
        _context.Runtime.Delete(_plan.Id);
    }

    private void PauseThenRestart()
    {
        var ran = _exitedAt - _startedAt ?? TimeSpan.Zero;
        _failuresInARow = ran >= Healthy || _restartAsked ? 0 : _failuresInARow + 1;
        var pause = _restartAsked ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(_failuresInARow - 1, 20))));
        Restarts++;
        ResumeAt = Environment.TickCount64 + (long)pause.TotalMilliseconds;
        Phase = AppPhase.BackOff;
    }

    private void NextPostStop()
    {
        KillAt = long.MaxValue;
        if (_handler < _plan.PostStop.Count)
        {
            StartHandler(_plan.PostStop);
            if (_context.Stopping)
            {
                // Each has the pod's own time, however fast its apps were to end.
                KillAt = Environment.TickCount64 + _context.Plan.StopGraceMs;
            }
        }
        else if (_restartAsked && !_context.Stopping)
        {
            // Asked for while the handlers ran.
            Restarts++;
            Start();
        }
        else
        {
            Finish();
        }
    }

    private void Fail(int status)
    {
        ExitStatus = status;
        _exitedAt = _context.Time.GetUtcNow();
        _context.Runtime.Delete(_plan.Id);
        Finish();
    }

    private void Finish() => Phase = AppPhase.Ended;

    private static bool EndsByDefault(int signal) => signal is not (Signals.SIGCHLD or Signals.SIGCONT or Signals.SIGSTOP or 20 or Signals.SIGTTIN or Signals.SIGTTOU or 23 or Signals.SIGWINCH or Signals.SIGKILL);

    private bool IsUnhandled(int signal)
    {
        try
        {
            ulong handled = 0;
            foreach (var line in File.ReadLines($"/proc/{Pid}/status"))
            {
                if (line.StartsWith("SigBlk:", StringComparison.Ordinal) || line.StartsWith("SigIgn:", StringComparison.Ordinal) || line.StartsWith("SigCgt:", StringComparison.Ordinal))
                {
                    handled |= Convert.ToUInt64(line[7..].Trim(), 16);
                }
            }

            return (handled & (1UL << (signal - 1))) == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
