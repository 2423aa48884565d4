using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class AttachCommand
{
    private const byte ControlP = 16;
    private const byte ControlQ = 17;

    public static readonly Command Command = new()
    {
        Words = ["attach"],
        Summary = "Connect to the input and output of a running app",
        Usage = "[OPTION…] POD",
        Description = "Ctrl-P Ctrl-Q lets go of the app, which runs on.",
        Example = "muster attach web\nmuster attach --mode=stdout,stderr web",
        Options =
        [
            new("app", "The app, in a pod of several", "NAME"),
            new("mode", "list, auto, tty, or the streams wanted", "MODE") { Default = "auto" },
        ],
        Arguments = (1, 1),
        Watches = true,
        Run = (call, ct) => Task.FromResult(Attach(call, ct)),
    };

    private static int Attach(Invocation call, CancellationToken ct)
    {
        PodDoor.RequireRoot("attach");
        var door = new PodDoor(call);
        using var pod = door.Find(call.Arguments[0]);
        var record = pod.ReadRecord();
        var app = PodDoor.App(record, call.Value("app"));
        var mode = call.Value("mode") ?? "auto";
        if (mode == "list")
        {
            string[] streams = app.Terminal ? ["tty", .. (ReadOnlySpan<string>)(app.Stdin == "null" ? [] : ["stdin"])] : ["stdout", "stderr", .. (ReadOnlySpan<string>)(app.Stdin == "null" ? [] : ["stdin"])];
            WriteStreams(call, app.Name, streams);
            return 0;
        }

        if (call.Json)
        {
            throw new MusterException(ErrorKind.Usage, "--format=json is for --mode=list: what is attached to gives its output as it is");
        }

        var wanted = mode is "auto" or "tty" ? ["stdout", "stderr", .. (ReadOnlySpan<string>)(app.Stdin == "pipe" ? ["stdin"] : [])] : mode.Split(',');
        foreach (var stream in wanted.Where(w => w is not ("stdin" or "stdout" or "stderr")))
        {
            throw new MusterException(ErrorKind.Usage, $"--mode={mode}: \"{stream}\" is not one of list, auto, tty, stdin, stdout, stderr");
        }

        using var shim = ShimClient.TryConnect(pod) ?? throw new MusterException(ErrorKind.Conflict, $"Pod {pod.Uuid} is {door.Store.StateOf(pod).ToString().ToLowerInvariant()}, not running");
        shim.Ask("attach", json =>
        {
            json.WriteString("app"u8, app.Name);
            foreach (var stream in wanted)
            {
                json.WriteBoolean(stream, true);
            }
        });
        return Relay(shim, app.Terminal, wanted.Contains("stdin"), ct);
    }

    private static void WriteStreams(Invocation call, string app, string[] streams)
    {
        if (!call.Json)
        {
            Array.ForEach(streams, call.Terminal.Out.WriteLine);
            return;
        }

        Listing.WriteJson(call, json =>
        {
            json.WriteStartArray();
            foreach (var stream in streams)
            {
                json.WriteStartObject();
                json.WriteString("app"u8, app);
                json.WriteString("stream"u8, stream);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static int Relay(ShimClient shim, bool terminal, bool input, CancellationToken ct)
    {
        // The loop waits in poll: a signal wakes it through a pipe.
        var (woken, wake) = Descriptors.Pipe(nonBlocking: true);
        using var registration = ct.Register(() => _ = Descriptors.Write(wake, [1]));
        TerminalSettings? saved = terminal && input && TerminalDevice.Is(0) ? TerminalDevice.MakeRaw(0) : null;
        try
        {
            var frames = new FrameReader(shim.TakeRest());
            var size = terminal ? TerminalDevice.Size(1) : null;
            SendSize(shim.Socket, size);
            Span<PollFd> polls = [new PollFd { Descriptor = shim.Socket, Events = PollFd.In }, new PollFd { Descriptor = input ? 0 : -1, Events = PollFd.In }, new PollFd { Descriptor = woken, Events = PollFd.In }];
            var buffer = new byte[16384];
            var armed = false;
            while (true)
            {
                _ = Descriptors.Poll(polls, terminal ? 500 : -1);
                ct.ThrowIfCancellationRequested();
                if (terminal && TerminalDevice.Size(1) is { } now && now != size)
                {
                    size = now;
                    SendSize(shim.Socket, size);
                }

                if (polls[0].Returned != 0)
                {
                    var n = Descriptors.Read(shim.Socket, buffer);
                    if (n <= 0)
                    {
                        return 0;
                    }

                    frames.Take(buffer.AsSpan(0, n));
                }

                if (polls[1].Returned != 0)
                {
                    var n = Descriptors.Read(0, buffer.AsSpan(0, 8192));
                    if (saved is not null && LetsGo(buffer.AsSpan(0, Math.Max(n, 0)), ref armed))
                    {
                        return 0;
                    }

                    SendFrame(shim.Socket, 0, buffer.AsSpan(0, Math.Max(n, 0)));
                    if (n <= 0)
                    {
                        polls[1].Descriptor = -1;
                    }
                }
            }
        }
        finally
        {
            if (saved is { } settings)
            {
                TerminalDevice.Restore(0, settings);
            }
        }
    }

    private static bool LetsGo(ReadOnlySpan<byte> typed, ref bool armed)
    {
        foreach (var c in typed)
        {
            if (armed && c == ControlQ)
            {
                return true;
            }

            armed = c == ControlP;
        }

        return false;
    }

    private static void SendSize(int socket, (ushort Rows, ushort Columns)? size)
    {
        if (size is { } known)
        {
            Span<byte> data = stackalloc byte[4];
            BitConverter.TryWriteBytes(data, known.Rows);
            BitConverter.TryWriteBytes(data[2..], known.Columns);
            SendFrame(socket, 3, data);
        }
    }

    private static void SendFrame(int socket, byte kind, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[5];
        header[0] = kind;
        BitConverter.TryWriteBytes(header[1..], data.Length);
        _ = Descriptors.WriteAll(socket, header) && Descriptors.WriteAll(socket, data);
    }

    /// <summary>Puts frames together and writes each to the stream it belongs to.</summary>
    private sealed class FrameReader
    {
        private readonly List<byte> _pending = [];

        public FrameReader(ReadOnlySpan<byte> rest) => Take(rest);

        public void Take(ReadOnlySpan<byte> data)
        {
            _pending.AddRange(data);
            while (_pending.Count >= 5)
            {
                var all = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending);
                var length = BitConverter.ToInt32(all[1..5]);
                if (all.Length < 5 + length)
                {
                    return;
                }

                Descriptors.WriteAll(all[0] == 2 ? 2 : 1, all.Slice(5, length));
                _pending.RemoveRange(0, 5 + length);
            }
        }
    }
}
