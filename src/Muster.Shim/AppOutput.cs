using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// One output stream of an app on its way to the log, to attached clients and, in the foreground, to the caller. A caller
/// that does not read holds up the app, as a plain pipe would; nothing else does.
/// </summary>
internal sealed class AppOutput
{
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

    /// <summary>Takes what is there; false when there is nothing more just now.</summary>
    public bool Pump(ControlServer control)
    {
        var n = Descriptors.Read(Source, _pending);
        if (n <= 0)
        {
            if (n == 0)
            {
                Close();
            }

            return false;
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

        return true;
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

    /// <summary>Reads what is left and closes our end; waits for a slow caller so that nothing is lost.</summary>
    public void Drain(ControlServer control)
    {
        while (Source >= 0)
        {
            WaitForTee();
            if (!Pump(control))
            {
                break;
            }
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
