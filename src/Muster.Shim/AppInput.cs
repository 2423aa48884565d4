using Muster.Linux;

namespace Muster.Shim;

/// <summary>An app's standard input: from the caller, or from attached clients.</summary>
internal sealed class AppInput
{
    private readonly byte[] _pending = new byte[16384];
    private readonly bool _isTerminal;
    private int _offset;
    private int _length;
    private bool _ending;

    /// <param name="sink">Our end of the app's pipe, or the pty.</param>
    /// <param name="source">The caller's descriptor, or -1 for attached clients only.</param>
    /// <param name="isTerminal">Whether the sink is a pty, whose end is ^D and not a close.</param>
    public AppInput(int sink, int source, bool isTerminal)
    {
        Sink = sink;
        Source = source;
        _isTerminal = isTerminal;
        Descriptors.SetNonBlocking(sink);
    }

    public int Sink { get; private set; }

    public int Source { get; private set; }

    public bool WantsRead => Source >= 0 && Sink >= 0 && _length == 0;

    public bool WantsWrite => Sink >= 0 && _length > 0;

    /// <summary>How many bytes can be taken now.</summary>
    public int Free => Sink < 0 ? 0 : _length == 0 ? _pending.Length : 0;

    /// <summary>Reads from the caller.</summary>
    public void Pump()
    {
        var n = ReadSource();
        if (n == 0)
        {
            Source = -1;
            End();
        }
        else if (n > 0)
        {
            _offset = 0;
            _length = n;
            Flush();
        }
    }

    // What cannot be read (a folder, a disk that fails) is no input, and no reason to end the app.
    private int ReadSource()
    {
        try
        {
            return Descriptors.Read(Source, _pending);
        }
        catch (LinuxException)
        {
            return 0;
        }
    }

    /// <summary>Takes input from an attached client; at most <see cref="Free"/> bytes.</summary>
    public void Offer(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_pending);
        _offset = 0;
        _length = data.Length;
        Flush();
    }

    /// <summary>No more input comes.</summary>
    public void End()
    {
        _ending = true;
        Flush();
    }

    public void Flush()
    {
        if (_length > 0)
        {
            var n = Descriptors.Write(Sink, _pending.AsSpan(_offset, _length));
            if (n < 0)
            {
                Close();
                return;
            }

            _offset += n;
            _length -= n;
        }

        if (_ending && _length == 0 && Sink >= 0)
        {
            if (_isTerminal)
            {
                _ending = false;
                Descriptors.Write(Sink, [4]);
            }
            else
            {
                Close();
            }
        }
    }

    public void Close()
    {
        // A pty's descriptor is shared with the output side, which closes it.
        if (!_isTerminal)
        {
            Descriptors.Close(Sink);
        }

        Sink = -1;
        _length = 0;
    }
}
