using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Disk;
using Muster.Metrics.Agents.FileSystems;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Memory;
using Muster.Metrics.Agents.Network;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Processes.Accounting;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Fuzz;

/// <summary>Any text as each file that the agents of metrics read, and as the state files of other engines: none may be a fault.</summary>
public static class KernelTextTarget
{
    private static readonly string[] Keys = ["MemTotal", "MemFree", "a", "nr_dirty", "Tcp.InSegs", "TCP.inuse", "nr_periods", "some", "cpu.some.total", "cpu.full.total", "cpu.some.avg10sec", "cpu.some.avg1min", "cpu.some.avg5min", "number"];

    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5 1\nctxt 7\nbtime 1\n"u8.ToArray(),
        "some avg10=53.77 avg60=57.42 avg300=28.02 total=5039343437\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"u8.ToArray(),
        "Tcp: RtoMin InSegs\nTcp: 200 7\nIcmpMsg: InType3 OutType8\nIcmpMsg: 1 2\n"u8.ToArray(),
        "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"u8.ToArray(),
        "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"u8.ToArray(),
        "           CPU0       CPU1\n 24:          1          0  IO-APIC   5-edge      ACPI:Ged\nERR: 3\n"u8.ToArray(),
        "Node 0, zone      DMA\n  per-node stats\n      nr_dirty 12\n  pages free     3840\n        protection: (0, 3019, 7755)\n"u8.ToArray(),
        "12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43\n"u8.ToArray(),
        "Name:\ta\nUid:\t0\t0\t0\t0\nVmRSS:\t  12 kB\nThreads:\t1\n"u8.ToArray(),
        "/dev/vda / ext4 rw 0 0\ntmpfs /a\\040b tmpfs rw 0 0\n"u8.ToArray(),
        "8:0 Read 4096\n8:0 Write 1\nTotal 4097\n"u8.ToArray(),
        "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"u8.ToArray(),
        "cpuburn > 0.2 && (uname == \"root\" || !(psargs ~ /a[b]+/)) # hot"u8.ToArray(),
        "4:memory:/a\n0::/b\n"u8.ToArray(),
        """{"Name":"/web","State":{"Pid":7,"Running":true,"StartedAt":"2026-01-01T00:00:00Z"},"Config":{"Image":"a","Labels":{"com.docker.compose.project":"p"}},"Image":"sha256:0","RestartCount":1}"""u8.ToArray(),
        """[{"id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","names":["web"],"image":"i","created":"2026-01-01T00:00:00Z"}]"""u8.ToArray(),
        """{"version":1,"bootId":"b","containers":{"a":[{"counter":"c","total":1,"sources":[{"path":"/a","epoch":1,"last":2}]}]}}"""u8.ToArray(),
        """{"version":1,"bootId":"b","containers":{"a":[{"counter":"eth0 c","total":1,"sources":[{"path":"/a","epoch":1,"last":2},{"path":"/a","epoch":2,"last":9}]},null]}}"""u8.ToArray(),
        "\u0011\u0003\0\0\0\u0003\0\0\0\0\0\0\0\0\0\0g\u0012\0\0\u0001\0\0\0\0\0\0k\0\0zC\u0005\0\u0005\0\u0005@\0\0\0\0\0\0\0\0\0\0sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        ReadKernel(data);
        ReadMemory(data);
        ReadNetwork(data);
        ReadProcesses(data);
        ReadGroups(data);
        var copy = data.ToArray();
        _ = DockerContainers.Parse(copy, "id", false);
        _ = DockerContainers.UsesHostNetwork(copy);
        _ = PodmanContainers.Parse(copy);
        if (LedgerFile.Parse(copy) is { } record)
        {
            var ledger = new CounterLedger();
            ledger.Load(record);
            ledger.Merge(record);
        }

        _ = AccountingRecord.Read(data);
        _ = AccountNames.Parse(Encoding.UTF8.GetString(data));
        _ = RegisteredMonitors.ParseLogger(1, data);
        _ = RegisteredMonitors.ParseRuleEngine(1, data);
        _ = HotPredicate.Parse(Encoding.UTF8.GetString(data), out _);
        _ = CpuTopology.Parse(Encoding.UTF8.GetString(data));
    }

    private static void ReadKernel(ReadOnlySpan<byte> data)
    {
        var stat = new StatSource(InstanceDomainId.Of(60, 0), InstanceDomainId.Of(60, 19), [0]);
        stat.Parse(data, Sheets(stat));
        LoadSource.Parse(data, [new Sheet(1), new Sheet(3)]);
        UptimeSource.Parse(data, new Sheet(2));
        PressureText.Parse(data, out _, out _);
        InterruptSource.Parse(data, Wanting(1, 1, 1, 2), new InstanceNames(), new InstanceNames());
        CpuInfoSource.Parse(data, Wanting(12)[0], [0]);
        SessionSource.Parse(data, new Sheet(3));
        LockSource.Parse(data, new Sheet(9));
        var ipc = new Sheet(19);
        IpcSource.AddUp(data, ipc, ipc.AddRow(-1), 10, [3, 14, 15]);
        _ = SystemSource.Distribution(Encoding.UTF8.GetString(data), "");
        DiskSource.Parse(data, Wanting(31, 30, 30, 30, 30, 30), new DiskDevices("/nowhere"), [.. Enumerable.Range(0, 6).Select(_ => new InstanceNames())]);
        _ = DiskDevices.CurrentScheduler(data);
        IpcTableSource.SharedMemory(InstanceDomainId.Of(60, 28), new AccountNames()).Parse(data, Wanting(8)[0]);
        _ = MountSource.Parse(data, inContainer: true);
        _ = Mount.Unescape(data);
        _ = WrittenSpace.UpperOf(data);
    }

    private static void ReadMemory(ReadOnlySpan<byte> data)
    {
        var names = new NameTable(Keys);
        KeyedSource.Parse(data, new Sheet(Keys.Length), names);
        var sheet = new Sheet(Keys.Length);
        NumaSource.Parse(data, sheet, sheet.AddRow(0), names);
        BuddySource.Parse(data, new Sheet(2), new InstanceNames(), 4);
        ZoneSource.Parse(data, new Sheet(Keys.Length), new Sheet(1), names, new InstanceNames(), new InstanceNames());
        SlabSource.Parse(data, new Sheet(8), new InstanceNames());
        SwapSource.Parse(data, new Sheet(5), new InstanceNames());
    }

    private static void ReadNetwork(ReadOnlySpan<byte> data)
    {
        var names = new NameTable(Keys);
        var sheets = Wanting(Keys.Length, 2);
        ProtocolSource.Parse(data, sheets, sheets[0].AddRow(-1), names);
        var sockets = new Sheet(Keys.Length);
        SocketSource.Parse(data, sockets, sockets.AddRow(-1), names);
        PacketSource.Parse(data, Wanting(6, 6));
        InterfaceSource.Parse(data, new Sheet(29), new InstanceNames());
        foreach (var count in new ConnectionSource.Count[] { ConnectionSource.CountTcp, ConnectionSource.CountUdp, ConnectionSource.CountRaw, ConnectionSource.CountUnix })
        {
            var sheet = new Sheet(32);
            ConnectionSource.Parse(data, sheet, sheet.AddRow(-1), 0, 11, count);
        }
    }

    private static void ReadProcesses(ReadOnlySpan<byte> data)
    {
        var stat = Wanting(ProcessStat.Columns.Length)[0];
        _ = ProcessStat.Parse(data, stat, stat.AddRow(1), 0);
        var status = Wanting(ProcessStatus.Columns.Length)[0];
        ProcessStatus.Parse(data, status, status.AddRow(1), 0, new AccountNames());
        _ = ProcessFiles.Joined(data);
        var sheet = new Sheet(8);
        ProcessSource.ParseMemory(data, sheet, sheet.AddRow(1), 0);
        ProcessSource.ParseAutogroup(data, sheet, 0, 0);
    }

    private static void ReadGroups(ReadOnlySpan<byte> data)
    {
        foreach (var kind in Enum.GetValues<GroupTextKind>())
        {
            var text = new GroupText(new GroupFile("number", 0), kind, Keys, kind == GroupTextKind.Pressure ? "cpu." : "");
            var sheet = Wanting(Keys.Length)[0];
            text.Parse(data, sheet, sheet.AddRow(0));
        }

        var block = Wanting(64, 64);
        BlockIoSource.Parse(data, block, block[0].AddRow(0), 0, 5, _ => -1);
        IoDeviceSource.Parse(data, new Sheet(6), "/a", new InstanceNames());
        PerCpuSource.Parse(data, new Sheet(1), "/a", new InstanceNames());
        SubsystemSource.Parse(data, Wanting(3, 1), new InstanceNames());
        _ = UsePart.SumVersion1(data);
        Span<long> sums = stackalloc long[4];
        UsePart.SumVersion2(data, sums);
        _ = CpuPart.ParseMax(Encoding.UTF8.GetString(data));
        _ = ContainerGroups.Identification(Encoding.UTF8.GetString(data));
    }

    private static Sheet[] Sheets(Source source) => Wanting([.. source.Shapes.Select(s => s.Columns.Count)]);

    private static Sheet[] Wanting(params int[] columns) => [.. columns.Select(c =>
    {
        var sheet = new Sheet(c) { WantsNames = true };
        sheet.WantAll();
        return sheet;
    })];
}
