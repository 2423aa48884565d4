using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>
/// The caller's standard input, output and error for a command inside a pod. A file, a folder or a terminal is not handed in: the
/// app could open it anew through <c>/proc/PID/fd</c>, for writing though it was given to be read, and keep it after the command's end.
/// A pipe takes its place, and threads of ours carry what goes through it. Pipes and sockets are handed in as they are.
/// </summary>
internal sealed class CallersStreams
{
    private const int BufferSize = 64 * 1024;

    private readonly List<int> _theirs = [];
    private readonly List<Thread> _joined = [];
    private readonly int _stop;
    private readonly int _stopper;
    private volatile bool _isOver;

    /// <param name="forTerminal">Whether the runtime makes a terminal and carries what goes through it: it gets what there is.</param>
    /// <param name="say">Tells the user a sentence.</param>
    public CallersStreams(bool forTerminal, Action<string> say)
    {
        (_stop, _stopper) = Descriptors.Pipe();
        if (forTerminal)
        {
            // Standard error is for the runtime's own words alone.
            (Input, Output, Error) = (Callers(0), Callers(1), -1);
            return;
        }

        Input = TakeInput();
        Output = TakeOutput(1, say);
        Error = Output >= 0 && Output != 1 && IsSame(1, 2) ? Output : TakeOutput(2, say);
    }

    /// <summary>What the command gets as standard input; -1 for nothing.</summary>
    public int Input { get; }

    /// <inheritdoc cref="Input"/>
    public int Output { get; }

    /// <inheritdoc cref="Input"/>
    public int Error { get; }

    /// <summary>The command has its ends: ours of the same are closed, so that we see when it closes them.</summary>
    public void HandedOver()
    {
        _theirs.ForEach(Descriptors.Close);
        _theirs.Clear();
    }

    /// <summary>
    /// The command has ended: waits until what it wrote is with the caller. What others in the pod write after that goes nowhere; what
    /// was read of a file and not by the command is given back to whoever reads the file next.
    /// </summary>
    public void End()
    {
        HandedOver();
        _isOver = true;
        Descriptors.Close(_stopper);
        _joined.ForEach(t => t.Join());
        Descriptors.Close(_stop);
    }

    private int TakeInput()
    {
        if (Callers(0) < 0 || IsHarmless(0))
        {
            return Callers(0);
        }

        var type = FileStatus.Read(0).Type;
        var isTerminal = TerminalDevice.Is(0);
        // A pager behind us reads the same terminal: what is typed is its. A job in the background would be stopped for reading.
        if (type == FileStatus.Folder || (isTerminal && (!TerminalDevice.Is(1) || !TerminalDevice.IsForeground(0))))
        {
            return -1;
        }

        var (read, write) = Descriptors.Pipe();
        Descriptors.SetNonBlocking(write);
        _theirs.Add(read);
        var isFile = type == FileStatus.Regular;
        // Ours of the reading end tells in the end what was not read.
        var rest = isFile ? Descriptors.Duplicate(read) : -1;
        Carry(() => CarryIn(write, rest), isJoined: isFile);
        return read;
    }

    private int TakeOutput(int descriptor, Action<string> say)
    {
        if (Callers(descriptor) < 0 || IsHarmless(descriptor))
        {
            return Callers(descriptor);
        }

        var (read, write) = Descriptors.Pipe();
        Descriptors.SetNonBlocking(read);
        _theirs.Add(write);
        Carry(() => CarryOut(read, descriptor, say), isJoined: true);
        return write;
    }

    private void Carry(ThreadStart work, bool isJoined)
    {
        var thread = new Thread(work, 128 * 1024) { IsBackground = true };
        thread.Start();
        if (isJoined)
        {
            _joined.Add(thread);
        }
    }

    private void CarryIn(int pipe, int rest)
    {
        var buffer = new byte[BufferSize];
        var left = 0;
        try
        {
            while (!_isOver && Descriptors.Read(0, buffer) is > 0 and var length)
            {
                left = length;
                while (left > 0 && WaitFor(pipe, PollFd.Out) && Descriptors.Write(pipe, buffer.AsSpan(length - left, left)) is >= 0 and var n)
                {
                    left -= n;
                }

                if (left > 0)
                {
                    break;
                }
            }

            Descriptors.Close(pipe);
            if (rest >= 0)
            {
                _ = WaitFor(-1, 0);
                Descriptors.StepBack(0, left + Descriptors.Available(rest));
                Descriptors.Close(rest);
            }
        }
        catch (LinuxException)
        {
            // A disk that fails is the end of input.
            Descriptors.Close(pipe);
        }
    }

    private void CarryOut(int pipe, int caller, Action<string> say)
    {
        var buffer = new byte[BufferSize];
        var isOver = false;
        long left = long.MaxValue;
        try
        {
            while (left > 0)
            {
                if (!isOver && _isOver)
                {
                    // What the pipe holds by now is the command's; others may write on as fast as we read.
                    (isOver, left) = (true, Descriptors.PipeCapacity(pipe) ?? 0);
                }

                var n = Descriptors.Read(pipe, buffer);
                if (n == 0 || (n < 0 && isOver) || (n > 0 && !Write(caller, buffer.AsSpan(0, n))))
                {
                    break;
                }

                left -= Math.Max(n, 0);
                if (n < 0)
                {
                    _ = WaitFor(pipe, PollFd.In);
                }
            }
        }
        catch (LinuxException e)
        {
            say($"muster: Standard {(caller == 1 ? "output" : "error")} takes no more ({e.Message})");
        }
        finally
        {
            // The command hears of a reader that has gone as it would without us.
            Descriptors.Close(pipe);
        }
    }

    private static bool Write(int caller, ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            Span<PollFd> one = [new() { Descriptor = caller, Events = PollFd.Out }];
            _ = Descriptors.Poll(one, -1);
            var n = Descriptors.Write(caller, data);
            if (n < 0)
            {
                return false;
            }

            data = data[n..];
        }

        return true;
    }

    // True when the descriptor is ready; false when the command has ended.
    private bool WaitFor(int descriptor, short events)
    {
        Span<PollFd> both = [new() { Descriptor = descriptor, Events = events }, new() { Descriptor = _stop, Events = PollFd.In }];
        while (Descriptors.Poll(both, -1) == 0)
        {
        }

        return both[0].Returned != 0;
    }

    // Opening a pipe or a socket again gives nothing more than the command has; /dev/null is in every pod.
    private static bool IsHarmless(int descriptor)
    {
        var status = FileStatus.Read(descriptor);
        return status.Type is FileStatus.Fifo or FileStatus.Socket || status is { Type: FileStatus.CharacterDevice, DeviceMajor: 1, DeviceMinor: 3 };
    }

    private static bool IsSame(int one, int other)
    {
        if (Callers(other) < 0)
        {
            return false;
        }

        var (a, b) = (FileStatus.Read(one), FileStatus.Read(other));
        return (a.FileSystem, a.Inode) == (b.FileSystem, b.Inode);
    }

    private static int Callers(int descriptor) => Descriptors.IsCallers(descriptor) ? descriptor : -1;
}
