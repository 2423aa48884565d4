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

    // Two lines above the table, its heading, and the line that the cursor stands on.
    private const int FixedLines = 4;

    internal static readonly IReadOnlyList<TopColumn> Columns =
    [
        new("name", "NAME", r => r.Name, null, 'N'),
        new("kind", "KIND", r => r.Kind, null, '\0', 11),
        new("state", "STATE", r => r.State, null, '\0', 12),
        new("cpu", "CPU%", r => TopRow.Percent(r.Cpu), r => r.Cpu, 'c', 0, r => r.Cpu / r.CpuLimit),
        new("cpu-limit", "OF%", r => TopRow.Percent(r.Cpu / r.CpuLimit), r => r.Cpu / r.CpuLimit, '\0', 9, r => r.Cpu / r.CpuLimit),
        new("throttled", "THR%", r => TopRow.Percent(r.Throttled), r => r.Throttled, 't', 6, r => r.Throttled > 0.01 ? Math.Max(0.75, r.Throttled.Value) : null),
        new("memory", "MEM", r => TopRow.Bytes(r.Memory), r => r.Memory, 'm', 1),
        new("memory-limit", "LIMIT", r => r.MemoryLimit is null ? "-" : TopRow.Bytes(r.MemoryLimit), r => r.MemoryLimit, '\0', 10),
        new("memory-share", "MEM%", r => TopRow.Percent(r.Memory / r.MemoryLimit), r => r.Memory / r.MemoryLimit, 'M', 2, r => r.Memory / r.MemoryLimit),
        new("read", "READ/s", r => TopRow.Bytes(r.ReadBytes), r => r.ReadBytes, '\0', 3),
        new("write", "WRITE/s", r => TopRow.Bytes(r.WriteBytes), r => r.WriteBytes, '\0', 3),
        new("io", "", _ => "", r => r.ReadBytes + r.WriteBytes, 'i'),
        new("in", "IN/s", r => TopRow.Bytes(r.NetworkIn), r => r.NetworkIn, '\0', 4),
        new("out", "OUT/s", r => TopRow.Bytes(r.NetworkOut), r => r.NetworkOut, '\0', 4),
        new("network", "", _ => "", r => r.NetworkIn + r.NetworkOut, 'n'),
        new("processes", "PIDS", r => r.Processes?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.Processes, 'p', 8),
        new("pressure", "PSI c/m/i%", r => $"{Whole(r.CpuPressure)}/{Whole(r.MemoryPressure)}/{Whole(r.IoPressure)}", Pressure, 'P', 5, r => Pressure(r) is >= 0.25 and { } p ? Math.Max(0.75, p) : null),
        new("restarts", "RST", r => r.Restarts?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.Restarts, 'r', 13),
        new("oom", "OOM", r => r.OutOfMemoryKills?.ToString("0", CultureInfo.InvariantCulture) ?? "-", r => r.OutOfMemoryKills, 'o', 7, r => r.OutOfMemoryKills > 0 ? 1 : null),
    ];

    public static readonly Command Command = new()
    {
        Words = ["metric", "top"],
        Summary = "Show containers by what they use, live",
        Usage = "[OPTION…] [NAME…]",
        Description = """
            Every pod of this root, and docker's, podman's and LXC's containers: CPU (of one CPU, of the limit), throttling, memory against the limit, block I/O, network, processes, pressure (CPU/memory/I/O), restarts, kills for lack of memory. NAME shows only the containers of that name; * and ? are wildcards.

            On a terminal: c m M i n p t P r o N sort by CPU, memory, share of memory, I/O, network, processes, throttling, pressure, restarts, kills, name; a shows apps; arrows, page up and page down move through them; space reads at once; q ends. What does not fit the terminal is left out, the least important columns first. Yellow and red: near its limit, throttled, or stalled. Elsewhere one table is printed for each reading.
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

        // The alternate screen, without a cursor, and without going on to the next line by itself.
        terminal.Out.Write("\e[?1049h\e[?25l\e[?7l");
        try
        {
            var next = TimeSpan.FromMilliseconds(300);
            var first = 0;
            IReadOnlyList<TopRow>? rows = null;
            while (left > 0)
            {
                var size = TerminalDevice.Size(1) ?? (24, 80);
                first = Draw(terminal, view, rows, first, size, call.Time.GetLocalNow());
                var started = call.Time.GetTimestamp();
                var pressed = WaitKey(next, size, ct);
                if (ct.IsCancellationRequested)
                {
                    return 0;
                }

                var again = false;
                if (pressed && !Press(view, ref first, size.Rows, out again))
                {
                    return 0;
                }

                next -= call.Time.GetElapsedTime(started);
                if (next > TimeSpan.FromMilliseconds(1) && !again)
                {
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
            TerminalDevice.Restore(0, before);
            terminal.Out.Write("\e[?7h\e[?25h\e[?1049l");
            terminal.Flush();
        }
    }

    // Until a key is pressed, the time is over, the terminal has another size, or all is to end.
    private static bool WaitKey(TimeSpan time, (ushort Rows, ushort Columns) size, CancellationToken ct)
    {
        const int slice = 100;
        Span<PollFd> polls = [new PollFd { Descriptor = 0, Events = PollFd.In }];
        for (var left = (int)time.TotalMilliseconds; left > 0 && !ct.IsCancellationRequested && (TerminalDevice.Size(1) ?? size) == size; left -= slice)
        {
            if (Descriptors.Poll(polls, Math.Min(left, slice)) > 0)
            {
                return true;
            }
        }

        return false;
    }

    // False when the key ends it; again asks for a new reading.
    private static bool Press(TopView view, ref int first, int screen, out bool again)
    {
        Span<byte> key = stackalloc byte[16];
        var read = Descriptors.Read(0, key);
        again = false;
        if (read <= 0 || key[0] is Interrupt or (byte)'q')
        {
            return false;
        }

        // Keys without a letter come as ESC [ and more (ECMA-48, section 5.4).
        if (key[0] == '\e')
        {
            var page = Math.Max(1, screen - FixedLines);
            first += System.Text.Encoding.ASCII.GetString(key[..(int)read]) switch { "\e[A" => -1, "\e[B" => 1, "\e[5~" => -page, "\e[6~" => page, _ => 0 };
            return true;
        }

        // Several may have been typed since the last look.
        foreach (var typed in key[..(int)read])
        {
            var pressed = (char)typed;
            if (typed is Interrupt or (byte)'q')
            {
                return false;
            }

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
                (view.Sort, first) = (column.Name, 0);
            }
        }

        return true;
    }

    // The screen in one write: nothing is cleared that is not written again at once. Returns the first row that is shown.
    private static int Draw(Terminal terminal, TopView view, IReadOnlyList<TopRow>? read, int first, (ushort Rows, ushort Columns) size, DateTimeOffset now)
    {
        var (rows, columns) = size;
        var all = read ?? [];
        var chosen = view.Choose(all);
        var room = Math.Max(1, rows - FixedLines);
        first = Math.Clamp(first, 0, Math.Max(0, chosen.Count - room));
        var screen = new StringBuilder("\e[H");
        var pods = all.Where(r => r.Kind != "app").ToList();
        var part = chosen.Count > room ? $"{first + 1}-{Math.Min(chosen.Count, first + room)} of " : "";
        Line($"{now:HH:mm:ss}  {part}{Quantity.Counted(chosen.Count, "container")}  {pods.Sum(r => r.Cpu ?? 0):0.00} CPUs  {TopRow.Bytes(pods.Sum(r => r.Memory ?? 0))} memory  by {view.Sort}", "1");
        Line("c CPU  m memory  i I/O  n network  P PSI  t throttled  a apps  q quit", "2");

        // Widths are those of all rows, that nothing moves when one comes into view.
        foreach (var (number, line) in view.Lines(chosen, columns, terminal.Style).Index())
        {
            if (number == 0 || (number > first && number <= first + room))
            {
                screen.Append(line).Append("\e[K\r\n");
            }
        }

        if (chosen.Count == 0 && read is not null)
        {
            Line(all.Count == 0 ? "  there are no containers" : "  no container runs; --all shows those that ended", null);
        }

        terminal.Out.Write(screen.Append("\e[J"));
        terminal.Flush();
        return first;

        // A raw terminal needs both, and each line clears what stood there.
        void Line(string text, string? sgr)
        {
            var cut = text.Length > columns ? text[..columns] : text;
            screen.Append(sgr is null ? cut : terminal.Style(cut, sgr)).Append("\e[K\r\n");
        }
    }

    private static string Whole(double? share) => share is { } part ? Math.Min(999, part * 100).ToString("0", CultureInfo.InvariantCulture) : "-";

    private static double? Pressure(TopRow row) =>
        row is { CpuPressure: null, MemoryPressure: null, IoPressure: null } ? null : Math.Max(row.CpuPressure ?? 0, Math.Max(row.MemoryPressure ?? 0, row.IoPressure ?? 0));
}
