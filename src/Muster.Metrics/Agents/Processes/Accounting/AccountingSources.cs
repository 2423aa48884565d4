using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes.Accounting;

/// <summary>The metrics of <c>acct.control</c>, which root may store.</summary>
internal sealed class AccountingControlSource(ProcessAccounts accounts) : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, Columns)), IDisposable
{
    public const string Table = """
        acct.control.open_retry_interval 70.23 - u32 discrete s    = | Seconds after which accounting is begun again when its file has gone; root may store it
        acct.control.check_acct_interval 70.24 - u32 discrete s    = | Seconds between two looks whether the kernel still writes; root may store it
        acct.control.file_size_threshold 70.25 - u64 discrete B    = | Size at which the file is emptied; root may store it
        acct.control.lifetime            70.26 - u32 discrete s    = | Seconds for which a process that ended is told; root may store it
        acct.control.refresh             70.27 - u32 discrete s    = | Seconds between two readings when nobody asks; root may store it
        acct.control.enable_acct         70.28 - u32 discrete none = | Storing 1 as root makes the kernel account for every process that ends, 0 ends it
        """;

    private static readonly string[] Columns = ["open_retry_interval", "check_acct_interval", "file_size_threshold", "lifetime", "refresh", "enable_acct"];

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        var row = sheet.AddRow(-1);
        long[] values = [accounts.RetryInterval, accounts.CheckInterval, (long)accounts.SizeThreshold, accounts.Lifetime, accounts.Refresh, accounts.IsOn ? 1 : 0];
        for (var i = 0; i < values.Length; i++)
        {
            sheet.Set(row, i, values[i]);
        }
    }

    /// <summary>Ends accounting where it was begun here.</summary>
    public void Dispose() => accounts.Dispose();

    /// <inheritdoc/>
    public override int Store(int column, MetricValue value, MetricView view)
    {
        if (view.UserId != 0)
        {
            return PcpError.Permission;
        }

        var number = value.Unsigned;
        var isTaken = column == 2 ? accounts.SetSizeThreshold(number) : number <= uint.MaxValue && column switch
        {
            0 => accounts.SetRetryInterval((uint)number),
            1 => accounts.SetCheckInterval((uint)number),
            3 => accounts.SetLifetime((uint)number),
            4 => accounts.SetRefresh((uint)number),
            _ => number <= 1 && accounts.Switch(number == 1),
        };
        return isTaken ? 0 : PcpError.BadStore;
    }
}

/// <summary>Processes that ended lately; without accounting there are none.</summary>
internal sealed class AccountingSource(ProcessAccounts accounts, InstanceDomainId domain) : Source(ContainerScope.Host, new SheetShape(domain, Columns))
{
    /// <summary>The serial of the domain of instances.</summary>
    public const int Domain = 40;

    public const string Table = """
        acct.psinfo.tty      70.0  40 u32    discrete none  =     | Number of the controlling terminal
        acct.psinfo.exitcode 70.1  40 u32    discrete none  =     | How it ended, as wait(2) has it
        acct.id.uid          70.2  40 u32    discrete none  =     | Real user
        acct.id.gid          70.3  40 u32    discrete none  =     | Real group
        acct.psinfo.pid      70.4  40 u32    discrete none  =     | Number of the process
        acct.psinfo.ppid     70.5  40 u32    discrete none  =     | Number of its parent
        acct.psinfo.btime    70.6  40 u32    discrete s     =     | When it began, in seconds after 1970
        acct.psinfo.etime    70.7  40 float  counter  s     =     | How long it was there
        acct.psinfo.utime    70.8  40 float  counter  s     =     | CPU time in user mode
        acct.psinfo.stime    70.9  40 float  counter  s     =     | CPU time in the kernel
        acct.psinfo.mem      70.10 40 u64    instant  KiB   =     | Average memory
        acct.psinfo.io       70.11 40 u64    counter  count =     | Characters that it read and wrote
        acct.psinfo.rw       70.12 40 u64    counter  count =     | Blocks that it read and wrote
        acct.psinfo.minflt   70.13 40 u64    counter  none  =     | Page faults that needed no disk
        acct.psinfo.majflt   70.14 40 u64    counter  count =     | Page faults that needed a disk
        acct.psinfo.swaps    70.15 40 u64    counter  count =     | Times that it was swapped out
        acct.psinfo.ttyname  70.16 40 string discrete none  =     | Name of the controlling terminal, ? for none
        acct.id.uid_nm       70.17 40 string discrete none  =     | Name of the real user
        acct.id.gid_nm       70.18 40 string discrete none  =     | Name of the real group
        acct.flag.fork       70.19 40 u32    instant  none  =     | 1 when it was forked and executed nothing
        acct.flag.su         70.20 40 u32    instant  none  =     | 1 when it used the rights of root
        acct.flag.core       70.21 40 u32    discrete none  =     | 1 when it dumped core
        acct.flag.xsig       70.22 40 u32    discrete none  =     | 1 when a signal ended it
        """;

    private static readonly string[] Columns =
    [
        "tty", "exitcode", "uid", "gid", "pid", "ppid", "btime", "etime", "utime", "stime", "mem", "io", "rw", "minflt", "majflt", "swaps",
        "ttyname", "uid_nm", "gid_nm", "fork", "su", "core", "xsig",
    ];

    private readonly AccountNames _names = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        if (context.View.UserId is null)
        {
            sheet.Fail(PcpError.Permission);
            return;
        }

        foreach (var record in accounts.Read())
        {
            var row = sheet.AddRow((int)record.ProcessId, record.Command);
            long[] numbers = [record.Terminal, record.ExitStatus, record.UserId, record.GroupId, record.ProcessId, record.ParentId, record.Began];
            for (var i = 0; i < numbers.Length; i++)
            {
                sheet.Set(row, i, numbers[i]);
            }

            sheet.Set(row, 7, record.ElapsedTicks / AccountingRecord.TicksPerSecond);
            for (var i = 0; i < record.Counts.Count; i++)
            {
                if (i < 2)
                {
                    sheet.Set(row, 8 + i, record.Counts[i] / AccountingRecord.TicksPerSecond);
                }
                else
                {
                    sheet.Set(row, 8 + i, record.Counts[i]);
                }
            }

            sheet.Set(row, 16, record.Terminal == 0 ? "?" : ProcessStat.TerminalName(record.Terminal));
            sheet.Set(row, 17, _names.User(record.UserId));
            sheet.Set(row, 18, _names.Group(record.GroupId));
            int[] flags = [1, 2, 8, 16];
            for (var i = 0; i < flags.Length; i++)
            {
                sheet.Set(row, 19 + i, (record.Flags & flags[i]) != 0 ? 1L : 0L);
            }
        }
    }

    // A client that nobody knows sees nothing, and yet there are such metrics.
    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => true;
}
