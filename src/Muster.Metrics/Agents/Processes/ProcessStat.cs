using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Processes;

/// <summary>/proc/PID/stat (proc_pid_stat(5)).</summary>
internal static class ProcessStat
{
    /// <summary>The columns; those after the first three in the order of the text, where an empty name is not wanted.</summary>
    private static readonly string[] Fields =
    [
        "pid", "cmd", "sname", "ppid", "pgrp", "session", "tty", "tty_pgrp", "flags", "minflt", "cmin_flt", "maj_flt", "cmaj_flt", "utime", "stime", "cutime", "cstime",
        "priority", "nice", "", "it_real_value", "start_time", "vsize", "rss", "rss_rlim", "start_code", "end_code", "start_stack", "esp", "eip",
        "signal", "blocked", "sigignore", "sigcatch", "wchan", "nswap", "cnswap", "exit_signal", "processor", "rt_priority", "policy", "delayacct_blkio_time", "guest_time", "cguest_time",
    ];

    private static readonly string[] Policies = ["NORMAL", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE", "EXT"];

    private const long MillisecondsPerTick = 1000 / ProcessControl.TicksPerSecond;
    private const int Terminal = 6;
    private const int ResidentPages = 23;
    private const int Policy = 40;

    // What a field is multiplied by: ticks are 10 ms; pages and bytes become KiB.
    private static readonly HashSet<string> Ticks = new(StringComparer.Ordinal) { "utime", "stime", "cutime", "cstime", "start_time", "delayacct_blkio_time", "guest_time", "cguest_time" };
    private static readonly HashSet<string> Bytes = new(StringComparer.Ordinal) { "vsize", "rss_rlim" };

    public static readonly string[] Columns = [.. Fields.Select((f, i) => f.Length > 0 ? f : "field" + i), "ttyname", "policy_s"];

    private static readonly bool[] IsTicks = [.. Fields.Select(Ticks.Contains)];
    private static readonly bool[] IsBytes = [.. Fields.Select(Bytes.Contains)];

    /// <summary>Fills the columns from <paramref name="first"/> on; false when the text is not of the known form.</summary>
    public static bool Parse(ReadOnlySpan<byte> text, Sheet sheet, int row, int first)
    {
        // The name may hold blanks and parentheses: the last parenthesis ends it.
        var open = text.IndexOf((byte)'(');
        var close = text.LastIndexOf((byte)')');
        if (open < 1 || close < open || close + 4 > text.Length || !TextNumbers.TryParse(text[..(open - 1)], out var pid))
        {
            return false;
        }

        sheet.Set(row, first, pid);
        if (sheet.Wants(first + 1))
        {
            sheet.Set(row, first + 1, Encoding.UTF8.GetString(text[(open + 1)..close]));
        }

        sheet.Set(row, first + 2, StateName(text[close + 2]));
        var fields = new TextFields(text[(close + 3)..].TrimEnd((byte)'\n'));
        for (var field = 3; field < Fields.Length && fields.TryNumber(out var value); field++)
        {
            var scaled = IsTicks[field] ? value * MillisecondsPerTick
                : IsBytes[field] ? (long)((ulong)value / 1024)
                : field == ResidentPages ? value * (Environment.SystemPageSize / 1024) : value;
            sheet.Set(row, first + field, scaled);
        }

        if (sheet.Wants(first + Fields.Length))
        {
            sheet.Set(row, first + Fields.Length, TerminalName(sheet.Number(row, first + Terminal)));
        }

        var policy = sheet.Number(row, first + Policy);
        sheet.Set(row, first + Fields.Length + 1, policy >= 0 && policy < Policies.Length ? Policies[policy] : "?");
        return true;
    }

    /// <summary>The name of a terminal by its device's numbers: /dev/pts and the virtual and serial ones; else a question mark.</summary>
    internal static string TerminalName(long device)
    {
        var (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
        return major switch
        {
            >= 136 and <= 143 => $"pts/{((major - 136) << 8) + minor}",
            4 when minor < 64 => $"tty{minor}",
            4 => $"ttyS{minor - 64}",
            5 when minor == 1 => "console",
            _ => "?",
        };
    }

    private static string StateName(byte state) => state switch
    {
        (byte)'R' => "R",
        (byte)'S' => "S",
        (byte)'D' => "D",
        (byte)'Z' => "Z",
        (byte)'T' => "T",
        (byte)'t' => "t",
        (byte)'I' => "I",
        (byte)'X' => "X",
        (byte)'P' => "P",
        _ => "?",
    };
}
