using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Processes;

/// <summary>/proc/PID/status (proc_pid_status(5)).</summary>
internal static class ProcessStatus
{
    private const int Sizes = 12;
    private const int Numbers = 18;
    private const int Texts = 27;
    private const int Users = 27;
    private const int Names = 35;
    private const int Real = 43;

    // Numbers, then texts, then computed ones.
    public static readonly string[] Columns =
    [
        "VmSize", "VmLck", "VmRSS", "VmData", "VmStk", "VmExe", "VmLib", "VmSwap", "VmPeak", "VmPin", "VmHWM", "VmPTE",
        "Threads", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches", "Ngid", "Tgid", "TracerPid",
        "signal_s", "blocked_s", "sigignore_s", "sigcatch_s", "Cpus_allowed_list", "NStgid", "NSpid", "NSpgid", "NSsid",
        "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid",
        "uid_nm", "euid_nm", "suid_nm", "fsuid_nm", "gid_nm", "egid_nm", "sgid_nm", "fsgid_nm",
        "vmreal", "vmnonlib",
    ];

    private static readonly NameTable Keys = new(
    [
        .. Columns.Take(Numbers), "SigPnd", "SigBlk", "SigIgn", "SigCgt", .. Columns.Skip(Numbers + 4).Take(5), "Uid", "Gid",
    ]);

    /// <summary>Fills the columns from <paramref name="first"/> on.</summary>
    public static void Parse(ReadOnlySpan<byte> text, Sheet sheet, int row, int first, AccountNames accounts)
    {
        // A thread of the kernel has no memory, and no lines that say so.
        for (var column = 0; column < Sizes; column++)
        {
            sheet.Set(row, first + column, 0L);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var colon = line.IndexOf((byte)':');
            if (colon <= 0 || Keys.Find(line[..colon]) is not (>= 0 and var key))
            {
                continue;
            }

            var fields = new TextFields(line[(colon + 1)..]);
            if (key < Numbers)
            {
                if (fields.TryNumber(out var value))
                {
                    sheet.Set(row, first + key, value);
                }
            }
            else if (key < Texts)
            {
                if (sheet.Wants(first + key))
                {
                    sheet.Set(row, first + key, Encoding.UTF8.GetString(fields.Rest.TrimEnd(" \t"u8)).Replace('\t', ' '));
                }
            }
            else
            {
                ReadIds(fields, sheet, row, first, key == Texts ? 0 : 4, accounts);
            }
        }

        var real = sheet.Number(row, first + 2) + sheet.Number(row, first + 7);
        sheet.Set(row, first + Real, real);
        sheet.Set(row, first + Real + 1, Math.Max(0, real - sheet.Number(row, first + 6)));
    }

    private static void ReadIds(TextFields fields, Sheet sheet, int row, int first, int offset, AccountNames accounts)
    {
        for (var i = offset; i < offset + 4 && fields.TryNumber(out var id); i++)
        {
            sheet.Set(row, first + Users + i, id);
            if (sheet.Wants(first + Names + i))
            {
                sheet.Set(row, first + Names + i, offset == 0 ? accounts.User((uint)id) : accounts.Group((uint)id));
            }
        }
    }
}
