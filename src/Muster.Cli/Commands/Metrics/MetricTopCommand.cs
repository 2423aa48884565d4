using System.Globalization;
using System.Text;
using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Collecting;

namespace Muster.Cli.Commands.Metrics;

internal static class MetricTopCommand
{
    private const byte Interrupt = 3;

    private static readonly IReadOnlyList<TopColumn> Columns =
    [
        new("name", "NAME", r => r.Name, null, 'N'),
        new("kind", "KIND", r => r.Kind, null, '\0'),
        new("state", "STATE", r => r.State, null, '\0'),
        new("cpu", "CPU%", r => TopRow.Percent(r.Cpu), r => r.Cpu, 'c'),
        new("cpu-limit", "OF%", r => TopRow.Percent(r.Cpu / r.CpuLimit), r => r.Cpu / r.CpuLimit, '\0'),
        new("throttled", "THROT%", r => TopRow.Percent(r.Throttled), r => r.Throttled, 't'),
        new("memory", "MEM", r => TopRow.Bytes(r.Memory), r => r.Memory, 'm'),
        new("memory-limit", "LIMIT", r => r.MemoryLimit is null ? "-" : TopRow.Bytes(r.MemoryLimit), r => r.MemoryLimit, '\0'),
        new("memory-share", "MEM%", r => TopRow.Percent(r.Memory / r.MemoryLimit), r => r.Memory / r.MemoryLimit, 'M'),
        new("read", "READ/s", r => TopRow.Bytes(r.ReadBytes), r => r.ReadBytes, '\0'),
        new("write", "WRITE/s", r => TopRow.Bytes(r.WriteBytes), r => r.WriteBytes, '\0'),
        new("io", "", _ => "", r => r.ReadBytes + r.WriteBytes, 'i'),
        new("in", "IN/s", r => TopRow.Bytes(r.NetworkIn), r => r.NetworkIn, '\0'),
        new("out", "OUT/s", r => TopRow.Bytes(r.NetworkOut), r => r.NetworkOut, '\0'),
        new("network", "", _ => "", r => r.NetworkIn + r.NetworkOut, 'n'),
        new("processes", "PIDS", r => r.Processes?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.Processes, 'p'),
        new("pressure", "PSI c/m/i%", r => $"{TopRow.Percent(r.CpuPressure)}/{TopRow.Percent(r.MemoryPressure)}/{TopRow.Percent(r.IoPressure)}", r => Math.Max(r.CpuPressure ?? 0, Math.Max(r.MemoryPressure ?? 0, r.IoPressure ?? 0)), 'P'),
        new("restarts", "RST", r => r.Restarts?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.Restarts, 'r'),
        new("oom", "OOM", r => r.OutOfMemoryKills?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.OutOfMemoryKills, 'o'),
    ];

    public static readonly Command Command = new()
    {
        Words = ["metric", "top"],
        Summary = "Show containers by what they use, live",
        Usage = "[OPTION…] [NAME…]",
        Description = """
            Every pod of this root, and docker's, podman's and LXC's containers: CPU (of one CPU, of the limit), throttling, memory against the limit, block I/O, network, processes, pressure (CPU/memory/I/O), restarts, kills for lack of memory. NAME shows only the containers of that name; * and ? are wildcards.

            On a terminal: c m M i n p t P r o N sort by CPU, memory, share of memory, I/O, network, processes, throttling, pressure, restarts, kills, name; a shows apps; space reads at once; q ends. Elsewhere one table is printed for each reading.
            """,
        Example = "muster metric top\nmuster metric top --sort=memory --apps\nmuster metric top -s 1 --format=json",
        Options =
        [
            MetricAccess.Interval with { Default = "2s" },
            MetricAccess.Samples,
            new("sort", "The column to sort by", "COLUMN") { Default = "cpu", Choices = [.. Columns.Select(c => c.Name)] },
            new("apps", "Show the apps of pods as well") { Short = 'a' },
            new("all", "Show also what does not run"),
            new("batch", "Print tables even on a terminal") { Short = 'b' },
        ],
        Arguments = (0, int.MaxValue),
        Run = (call, ct) => Task.FromResult(Run(call, ct)),
    };

    private static int Run(Invocation call, CancellationToken ct)
    {
        using var access = new MetricAccess(call);
        using var reader = new MetricReader(access.Catalog, [.. TopRow.Metrics.Where(m => access.Catalog.Current.Find(m) is not null)], access.View, call.Time);
        var view = new TopView(Columns, call.Value("sort") ?? "cpu", call.Has("apps"), call.Has("all"), call.Arguments);
        var rates = new MetricRates();
        _ = rates.Next(reader.Read());
        var interval = call.Has("interval") ? MetricAccess.IntervalOf(call) : TimeSpan.FromSeconds(2);
        var left = call.Number("samples", long.MaxValue, 1, long.MaxValue);
        var live = !call.Json && !call.Has("batch") && TerminalDevice.Is(1) && StandardInput.IsTerminal;
        if (live)
        {
            return Live(call, reader, rates, view, interval, left, ct);
        }

        // The first rates are over a part of the interval, so that one reading is soon there.
        var wait = interval < TimeSpan.FromMilliseconds(500) ? interval : TimeSpan.FromMilliseconds(500);
        while (left-- > 0 && !ct.WaitHandle.WaitOne(wait))
        {
            wait = interval;
            var reading = reader.Read();
            var rows = view.Choose(TopRow.Of(reading, rates.Next(reading)));
            if (call.Json)
            {
                Listing.WriteJson(call, json =>
                {
                    json.WriteStartArray();
                    foreach (var row in rows)
                    {
                        JsonSerializer.Serialize(json, row, MetricJson.Default.TopRow);
                    }

                    json.WriteEndArray();
                });
            }
            else
            {
                foreach (var line in view.Lines(rows, int.MaxValue))
                {
                    call.Terminal.Out.WriteLine(line);
                }
            }

            call.Terminal.Flush();
        }

        return 0;
    }

    private static int Live(Invocation call, MetricReader reader, MetricRates rates, TopView view, TimeSpan interval, long left, CancellationToken ct)
    {
        var terminal = call.Terminal;
        var before = TerminalDevice.MakeRaw(0);
        // The alternate screen, without a cursor.
        terminal.Out.Write("\e[?1049h\e[?25l");
        try
        {
            var next = TimeSpan.FromMilliseconds(300);
            IReadOnlyList<TopRow> rows = [];
            while (left > 0 && !ct.IsCancellationRequested)
            {
                Draw(terminal, view, rows, call.Time.GetLocalNow());
                Span<PollFd> polls = [new PollFd { Descriptor = 0, Events = PollFd.In }];
                var started = call.Time.GetTimestamp();
                var pressed = Descriptors.Poll(polls, (int)next.TotalMilliseconds) > 0;
                var again = false;
                if (pressed && !Press(view, out again))
                {
                    return 0;
                }

                if (pressed && !again)
                {
                    next -= call.Time.GetElapsedTime(started);
                    next = next > TimeSpan.Zero ? next : TimeSpan.Zero;
                    continue;
                }

                var reading = reader.Read();
                rows = TopRow.Of(reading, rates.Next(reading));
                next = interval;
                left--;
            }

            return 0;
        }
        finally
        {
            terminal.Out.Write("\e[?25h\e[?1049l");
            terminal.Flush();
            TerminalDevice.Restore(0, before);
        }
    }

    // False when the key ends it; again asks for a new reading.
    private static bool Press(TopView view, out bool again)
    {
        Span<byte> key = stackalloc byte[16];
        var read = Descriptors.Read(0, key);
        again = false;
        if (read <= 0 || key[0] is Interrupt or (byte)'q')
        {
            return false;
        }

        var pressed = (char)key[0];
        if (pressed == 'a')
        {
            view.Apps = !view.Apps;
        }
        else if (pressed == ' ')
        {
            again = true;
        }
        else if (pressed != '\0' && Columns.FirstOrDefault(c => c.Key == pressed) is { } column)
        {
            view.Sort = column.Name;
        }

        return true;
    }

    private static void Draw(Terminal terminal, TopView view, IReadOnlyList<TopRow> all, DateTimeOffset now)
    {
        var (rows, columns) = TerminalDevice.Size(1) ?? (24, 80);
        var chosen = view.Choose(all);
        var screen = new StringBuilder("\e[H");
        var busy = all.Where(r => r.Kind != "app").Sum(r => r.Cpu ?? 0);
        Line($"{now:HH:mm:ss}  {chosen.Count} containers, {busy:0.00} CPUs, sorted by {view.Sort}  (c m i n p t sort, a apps, q ends)");
        Line("");
        var number = 0;
        foreach (var line in view.Lines(chosen, columns).Take(Math.Max(1, rows - 3)))
        {
            Line(number++ == 0 ? terminal.Style(line, "7") : line);
        }

        screen.Append("\e[J");
        terminal.Out.Write(screen);
        terminal.Flush();

        // A raw terminal needs both, and each line clears what stood there.
        void Line(string text) => screen.Append(text.Length > columns && !text.StartsWith('\e') ? text[..columns] : text).Append("\e[K\r\n");
    }
}

/// <summary>A column of <c>metric top</c>; one without a heading is only for sorting.</summary>
internal sealed record TopColumn(string Name, string Heading, Func<TopRow, string> Text, Func<TopRow, double?>? Number, char Key);
