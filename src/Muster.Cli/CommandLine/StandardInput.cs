using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.CommandLine;

/// <summary>
/// Answers and passwords from descriptor 0. Not through System.Console, which writes escape sequences to the terminal and
/// changes its modes as soon as anything is read.
/// </summary>
internal static class StandardInput
{
    /// <summary>An answer's longest line: registries take tokens of a few kB as passwords.</summary>
    public const int MaxBytes = 64 << 10;

    private const int Descriptor = 0;

    /// <summary>Whether a person can be asked.</summary>
    public static bool IsTerminal => TerminalDevice.Is(Descriptor);

    /// <summary>Asks on standard error and reads a line, without its end; null at the end of input.</summary>
    /// <param name="terminal">Where the question goes.</param>
    /// <param name="question">The question, without a line end.</param>
    /// <param name="hidden">Whether what is typed stays unseen.</param>
    /// <param name="ct">Ends the waiting; the terminal is as before then.</param>
    /// <exception cref="OperationCanceledException">When <paramref name="ct"/> ends the waiting.</exception>
    public static string? Ask(Terminal terminal, string question, bool hidden, CancellationToken ct)
    {
        // Hidden before it is asked for: who types at once must not be seen either.
        TerminalSettings? before = hidden ? TerminalDevice.HideTyping(Descriptor) : null;
        try
        {
            terminal.Error.Write(question);
            terminal.Error.Flush();
            return ReadLine(ct);
        }
        finally
        {
            if (before is { } settings)
            {
                TerminalDevice.Restore(Descriptor, settings);
            }
        }
    }

    /// <summary>Everything up to the end of input, of at most <see cref="MaxBytes"/>; null when there is more.</summary>
    public static string? ReadAll()
    {
        var buffer = new byte[MaxBytes + 1];
        var length = 0;
        while (length < buffer.Length)
        {
            Span<PollFd> waiting = [new() { Descriptor = Descriptor, Events = PollFd.In }];
            _ = Descriptors.Poll(waiting, -1);
            var read = Descriptors.Read(Descriptor, buffer.AsSpan(length));
            if (read == 0)
            {
                break;
            }

            length += Math.Max(0, read);
        }

        return length <= MaxBytes ? Encoding.UTF8.GetString(buffer, 0, length) : null;
    }

    private static string? ReadLine(CancellationToken ct)
    {
        // A blocked read knows nothing of the token: a pipe wakes the poll instead.
        var (woken, wake) = Descriptors.Pipe();
        try
        {
            using var registration = ct.Register(() => Descriptors.WriteAll(wake, [1]));
            var buffer = new byte[MaxBytes];
            var length = 0;
            while (length < buffer.Length)
            {
                Span<PollFd> waiting = [new() { Descriptor = Descriptor, Events = PollFd.In }, new() { Descriptor = woken, Events = PollFd.In }];
                _ = Descriptors.Poll(waiting, -1);
                ct.ThrowIfCancellationRequested();
                if (waiting[0].Returned == 0)
                {
                    continue;
                }

                // A terminal gives one line at a time, so nothing behind the line is lost.
                var read = Descriptors.Read(Descriptor, buffer.AsSpan(length));
                if (read == 0)
                {
                    return length == 0 ? null : Encoding.UTF8.GetString(buffer, 0, length);
                }

                length += Math.Max(0, read);
                var end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
                if (end >= 0)
                {
                    return Encoding.UTF8.GetString(buffer, 0, end).TrimEnd('\r');
                }
            }

            throw new MusterException(ErrorKind.Usage, $"The answer is longer than {MaxBytes} bytes: nothing was changed");
        }
        finally
        {
            Descriptors.Close(woken);
            Descriptors.Close(wake);
        }
    }
}
