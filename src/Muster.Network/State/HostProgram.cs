using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>Runs another program to its end with bounded output: nft, CNI plugins, iptables.</summary>
internal static class HostProgram
{
    /// <summary>The most output kept of either stream: a CNI result is a few kilobytes.</summary>
    public const int MaxOutputBytes = 1024 * 1024;

    /// <summary>Starts a program, feeds it, and returns its status and output. It is killed when it outlives <paramref name="timeout"/>.</summary>
    public static (int Status, byte[] Output, string Error) Run(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, byte[] input, TimeSpan timeout)
    {
        var (inRead, inWrite) = Descriptors.Pipe();
        var (outRead, outWrite) = Descriptors.Pipe();
        var (errorRead, errorWrite) = Descriptors.Pipe();
        int[] all = [inRead, inWrite, outRead, outWrite, errorRead, errorWrite];
        try
        {
            var pid = Spawn.Start(path, [path, .. arguments], environment, inRead, outWrite, errorWrite, session: true);
            foreach (var theirs in (ReadOnlySpan<int>)[0, 3, 5])
            {
                Descriptors.Close(all[theirs]);
                all[theirs] = -1;
            }

            var (output, error, finished) = Converse(all, input, timeout);
            if (!finished)
            {
                Signals.Send(pid, Signals.SIGKILL);
            }

            var status = Spawn.Wait(pid);
            return finished
                ? (status, output, Encoding.UTF8.GetString(error))
                : throw new MusterException(ErrorKind.Timeout, $"{path} did not finish within {timeout.TotalSeconds:0} s and was killed: run it by hand to see why");
        }
        finally
        {
            foreach (var descriptor in all)
            {
                Descriptors.Close(descriptor);
            }
        }
    }

    // Writes and reads at once, as a program may answer before it has read all. Descriptors closed here become -1 in the array.
    private static (byte[] Output, byte[] Error, bool Finished) Converse(int[] all, byte[] input, TimeSpan timeout)
    {
        var deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        var streams = new[] { new MemoryStream(), new MemoryStream() };
        var sent = 0;
        Descriptors.SetNonBlocking(all[1]);
        Span<PollFd> polled = stackalloc PollFd[3];
        var buffer = new byte[16 * 1024];
        while (all[2] >= 0 || all[4] >= 0)
        {
            if (all[1] >= 0 && sent == input.Length)
            {
                Descriptors.Close(all[1]);
                all[1] = -1;
            }

            polled[0] = new PollFd { Descriptor = all[2], Events = PollFd.In };
            polled[1] = new PollFd { Descriptor = all[4], Events = PollFd.In };
            polled[2] = new PollFd { Descriptor = all[1], Events = PollFd.Out };
            var left = deadline - Environment.TickCount64;
            if (left <= 0)
            {
                return ([], [], false);
            }

            Descriptors.Poll(polled, (int)Math.Min(left, int.MaxValue));
            if (all[1] >= 0 && polled[2].Returned != 0)
            {
                var n = Descriptors.Write(all[1], input.AsSpan(sent));
                sent = n < 0 ? input.Length : sent + n;
            }

            for (var i = 0; i < 2; i++)
            {
                if (polled[i].Returned != 0)
                {
                    ReadSome(all, i == 0 ? 2 : 4, streams[i], buffer);
                }
            }
        }

        return (streams[0].ToArray(), streams[1].ToArray(), true);
    }

    private static void ReadSome(int[] all, int which, MemoryStream into, byte[] buffer)
    {
        var n = Descriptors.Read(all[which], buffer);
        if (n <= 0)
        {
            Descriptors.Close(all[which]);
            all[which] = -1;
        }
        else if (into.Length < MaxOutputBytes)
        {
            into.Write(buffer, 0, n);
        }
    }
}
