using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>The streams of one app: pipes or a terminal of ours, and the log that they end in. New ones for each start, one log for all.</summary>
internal sealed class AppStreams : IDisposable
{
    /// <summary>The runtime sends the terminal before it says that the app runs; that long it may take, in milliseconds.</summary>
    private const int TerminalWaitMilliseconds = 5000;

    private readonly PlannedApp _plan;
    private readonly ShimContext _context;
    private readonly LogWriter? _log;
    private int _console = -1;

    public AppStreams(PlannedApp plan, ShimContext context)
    {
        _plan = plan;
        _context = context;
        _log = plan.Output != "null"
            ? new LogWriter(Path.Combine(context.PodDirectory, "logs", plan.Name + ".log"), context.Plan.LogMaxBytes, context.Plan.LogMaxFiles, context.Time)
            : null;
    }

    public List<AppOutput> Outputs { get; } = [];

    public AppInput? Input { get; private set; }

    /// <summary>Our side of the app's terminal, or -1.</summary>
    public int TerminalDescriptor { get; private set; } = -1;

    private string ConsoleName => "console-" + _plan.Name;

    /// <summary>Opens what an app without a terminal is started with; the ends returned are the caller's to close, -1 is none.</summary>
    public (int Stdin, int Stdout, int Stderr) Open()
    {
        var stdin = -1;
        if (_plan.Stdin is "inherit" or "pipe")
        {
            var (read, write) = Descriptors.Pipe();
            stdin = read;
            Input = new AppInput(write, _plan.Stdin == "inherit" ? 0 : -1, isTerminal: false);
        }

        return (stdin, OpenOutput("stdout", 1), OpenOutput("stderr", 2));
    }

    /// <summary>Opens the one pipe for all that a lifecycle handler says; the end returned is the caller's to close.</summary>
    public int OpenForHandler()
    {
        var (read, write) = Descriptors.Pipe();
        Descriptors.SetNonBlocking(read);
        Outputs.Add(new AppOutput(_plan.Name, "stderr", read, _log, _context.Tee(2), _context.GiveUp));
        return write;
    }

    /// <summary>Listens for the terminal that the runtime makes; returns the socket's path.</summary>
    public string AwaitTerminal()
    {
        _console = UnixSockets.Listen(_context.PodDirectory, ConsoleName);
        return _context.ShortPath(ConsoleName);
    }

    /// <summary>The app runs: what it writes flows, its terminal is taken.</summary>
    public void Release()
    {
        foreach (var output in Outputs)
        {
            output.Held = false;
        }

        if (_plan.Terminal)
        {
            TakeTerminal();
        }
    }

    /// <summary>The app was not started: what the runtime itself wrote is in its log.</summary>
    public void CloseHeld()
    {
        foreach (var output in Outputs.Where(o => o.Held))
        {
            output.Close();
        }
    }

    /// <summary>The app has ended: what is left is read, then all is closed but the log.</summary>
    public void End()
    {
        Drain();
        Outputs.Clear();
        Input?.Close();
        Input = null;
        TerminalDescriptor = -1;
    }

    /// <summary>The pod has ended.</summary>
    public void Dispose()
    {
        Drain();
        Input?.Close();
        _log?.Dispose();
    }

    private void Drain()
    {
        foreach (var output in Outputs)
        {
            output.Drain(_context.Control);
        }
    }

    private int OpenOutput(string stream, int callers)
    {
        if (_plan.Output == "null" || _plan.Output == "no-" + stream)
        {
            return -1;
        }

        var (read, write) = Descriptors.Pipe();
        Descriptors.SetNonBlocking(read);
        Outputs.Add(new AppOutput(_plan.Name, stream, read, _log, _context.Tee(callers), _context.GiveUp) { Held = true });
        return write;
    }

    private void TakeTerminal()
    {
        Span<PollFd> one = [new PollFd { Descriptor = _console, Events = PollFd.In }];
        var connection = Descriptors.Poll(one, TerminalWaitMilliseconds) > 0 ? UnixSockets.Accept(_console) : -1;
        if (connection >= 0)
        {
            one[0].Descriptor = connection;
            _ = Descriptors.Poll(one, TerminalWaitMilliseconds);
            TerminalDescriptor = UnixSockets.ReceiveDescriptor(connection);
            Descriptors.Close(connection);
        }

        Descriptors.Close(_console);
        _console = -1;
        File.Delete(Path.Combine(_context.PodDirectory, ConsoleName));
        if (TerminalDescriptor < 0)
        {
            throw new MusterException(ErrorKind.Upstream, $"The OCI runtime did not hand over the terminal of app \"{_plan.Name}\"");
        }

        Input = new AppInput(TerminalDescriptor, _plan.Stdin == "inherit" ? 0 : -1, isTerminal: true);
        Outputs.Add(new AppOutput(_plan.Name, "stdout", TerminalDescriptor, _log, _context.Tee(1), _context.GiveUp));
        if (_plan.Stdin == "inherit" && TerminalDevice.Is(0))
        {
            TerminalDevice.CopySize(0, TerminalDescriptor);
        }
    }
}
