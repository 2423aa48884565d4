using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// One output stream of an app on its way to the log, to attached clients and, in the foreground, to the caller. A caller
/// that does not read holds up the app, as a plain pipe would; nothing else does.
/// </summary>
internal sealed class AppOutput
{
    // What lies between a terminal's two ends (64 KiB, and 4 KiB more for its reader).
    private const int MaxTerminal = 128 * 1024;

    // PIPE_BUF: a pipe that poll calls writable takes that much without blocking.
    private const int TeePiece = 4096;

    private readonly string _stream;
    private readonly LogWriter? _log;
    private readonly byte[] _pending = new byte[16384];
    private int _offset;
    private int _length;
    private readonly Action<int, LinuxException>? _giveUp;
    private int _tee;

    /// <param name="tee">The caller's descriptor, or -1.</param>
    /// <param name="giveUp">Hears that the caller's descriptor cannot be written to, and why.</param>
    public AppOutput(string app, string stream, int source, LogWriter? log, int tee, Action<int, LinuxException>? giveUp = null)
    {
        _giveUp = giveUp;
        App = app;
        _stream = stream;
        Source = source;
        _log = log;
        _tee = tee;
    }

    public string App { get; }

    /// <summary>Our end, or -1 when the stream has ended.</summary>
    public int Source { get; private set; }

    public int Tee => _tee;

    /// <summary>True while the runtime starts the app: what it says itself is told once, by us, when it fails.</summary>
    public bool Held { get; set; }

    public bool WantsRead => Source >= 0 && _length == 0 && !Held;

    public bool WantsTee => _length > 0;

    /// <summary>Takes what is there: how many bytes; 0 when there is nothing more just now.</summary>
    public int Pump(ControlServer control)
    {
        var n = Descriptors.Read(Source, _pending);
        if (n <= 0)
        {
            if (n == 0)
            {
                Close();
            }

            return 0;
        }

        var data = _pending.AsSpan(0, n);
        _log?.Append(_stream, data);
        control.Broadcast(App, _stream, data);
        if (_tee >= 0)
        {
            _offset = 0;
            _length = n;
            FlushTee();
        }

        return n;
    }

    /// <summary>Hands on to the caller what it takes without blocking.</summary>
    public void FlushTee()
    {
        Span<PollFd> one = [new PollFd { Descriptor = _tee, Events = PollFd.Out }];
        while (_length > 0 && Descriptors.Poll(one, 0) > 0)
        {
            var n = WriteTee();
            if (n < 0)
            {
                // The caller has closed its end: the log goes on alone.
                _tee = -1;
                _length = 0;
                return;
            }

            _offset += n;
            _length -= n;
        }
    }

    // A full disk behind the caller's stream is the caller's trouble, not the app's.
    private int WriteTee()
    {
        try
        {
            return Descriptors.Write(_tee, _pending.AsSpan(_offset, Math.Min(_length, TeePiece)));
        }
        catch (LinuxException e)
        {
            _giveUp?.Invoke(_tee, e);
            return -1;
        }
    }

    /// <summary>
    /// Reads what is left and closes our end; waits for a slow caller so that nothing is lost. No more is read than the stream can hold:
    /// others may have it too (the app's children, another app, even another pod that was handed it) and write as fast as we read.
    /// </summary>
    public void Drain(ControlServer control)
    {
        var left = Source < 0 ? 0 : Descriptors.PipeCapacity(Source) ?? MaxTerminal;
        while (Source >= 0 && left > 0)
        {
            WaitForTee();
            if (Pump(control) is not (> 0 and var n))
            {
                break;
            }

            left -= n;
        }

        WaitForTee();
        Close();
    }

    public void Close()
    {
        Descriptors.Close(Source);
        Source = -1;
    }

    private void WaitForTee()
    {
        while (_length > 0)
        {
            Span<PollFd> one = [new PollFd { Descriptor = _tee, Events = PollFd.Out }];
            if (Descriptors.Poll(one, -1) > 0)
            {
                FlushTee();
            }
        }
    }
}
