using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Processes.Hot;

/// <summary>What the kernel has counted of one process.</summary>
internal sealed record HotCounters
{
    private static readonly int Start = Array.IndexOf(ProcessStat.Columns, "start_time");
    private static readonly int User = Array.IndexOf(ProcessStat.Columns, "utime");
    private static readonly int System = Array.IndexOf(ProcessStat.Columns, "stime");
    private static readonly int Size = Array.IndexOf(ProcessStat.Columns, "vsize");
    private static readonly int Resident = Array.IndexOf(ProcessStat.Columns, "rss");
    private static readonly int Delay = Array.IndexOf(ProcessStat.Columns, "delayacct_blkio_time");
    private static readonly int Status = ProcessStat.Columns.Length;
    private static readonly int Voluntary = Status + Array.IndexOf(ProcessStatus.Columns, "voluntary_ctxt_switches");
    private static readonly int Involuntary = Status + Array.IndexOf(ProcessStatus.Columns, "nonvoluntary_ctxt_switches");
    private static readonly int UserId = Status + Array.IndexOf(ProcessStatus.Columns, "uid");
    private static readonly int GroupId = Status + Array.IndexOf(ProcessStatus.Columns, "gid");

    private static readonly NameTable Transfers = new(["read_bytes:", "write_bytes:"]);

    // No column of names is asked for.
    private static readonly AccountNames NoNames = new();

    public long Started { get; private init; }

    private string Name { get; init; } = "";

    private uint Uid { get; init; }

    private uint Gid { get; init; }

    private long Milliseconds { get; init; }

    private long WaitMilliseconds { get; init; }

    private long Switches { get; init; }

    private long RunDelay { get; init; }

    private long Bytes { get; init; }

    private long VirtualKibibytes { get; init; }

    private long ResidentKibibytes { get; init; }

    public static HotCounters? Read(int pid, Sheet sheet)
    {
        sheet.Clear();
        sheet.Want(1);
        var row = sheet.AddRow(pid);
        using (var stat = ProcessFiles.Read(pid, "stat"u8))
        using (var status = ProcessFiles.Read(pid, "status"u8))
        {
            if (stat.Error != 0 || status.Error != 0 || !ProcessStat.Parse(stat.Bytes, sheet, row, 0))
            {
                return null;
            }

            ProcessStatus.Parse(status.Bytes, sheet, row, Status, NoNames);
        }

        return new HotCounters
        {
            Started = sheet.Number(row, Start),
            Name = sheet.Value(row, 1).Text,
            Uid = (uint)sheet.Number(row, UserId),
            Gid = (uint)sheet.Number(row, GroupId),
            Milliseconds = sheet.Number(row, User) + sheet.Number(row, System),
            WaitMilliseconds = sheet.Number(row, Delay),
            Switches = sheet.Number(row, Voluntary) + sheet.Number(row, Involuntary),
            RunDelay = ReadRunDelay(pid),
            Bytes = ReadBytes(pid),
            VirtualKibibytes = sheet.Number(row, Size),
            ResidentKibibytes = sheet.Number(row, Resident),
        };
    }

    public HotSample Since(HotCounters old, int pid, double seconds, AccountNames accounts) => new()
    {
        ProcessId = pid,
        UserId = Uid,
        GroupId = Gid,
        UserName = accounts.User(Uid),
        GroupName = accounts.Group(Gid),
        FileName = Name,
        Arguments = ProcessSource.Arguments(pid),
        CpuBurn = Rate(Milliseconds, old.Milliseconds, 1000, seconds),
        IoDemand = Rate(Bytes, old.Bytes, 1024, seconds),
        ContextSwitches = Rate(Switches, old.Switches, 1, seconds),
        VirtualSize = VirtualKibibytes,
        ResidentSize = ResidentKibibytes,
        IoWait = Rate(WaitMilliseconds, old.WaitMilliseconds, 1000, seconds),
        SchedulerWait = Rate(RunDelay, old.RunDelay, 1e9, seconds),
    };

    private static double Rate(long now, long before, double unit, double seconds) => Math.Max(0, now - before) / unit / seconds;

    // Its second field (Documentation/scheduler/sched-stats.rst).
    private static long ReadRunDelay(int pid)
    {
        using var text = ProcessFiles.Read(pid, "schedstat"u8);
        var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
        fields.Skip(1);
        return fields.TryNumber(out var delay) ? delay : 0;
    }

    private static long ReadBytes(int pid)
    {
        using var text = ProcessFiles.Read(pid, "io"u8);
        var sum = 0L;
        var lines = new TextLines(text.Bytes);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out var key) && Transfers.Find(key) >= 0 && fields.TryNumber(out var bytes))
            {
                sum += bytes;
            }
        }

        return sum;
    }
}
