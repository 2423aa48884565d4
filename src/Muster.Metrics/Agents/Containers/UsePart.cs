using System.Collections.Concurrent;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>Block I/O, processes, open files, file system and pressure of a container.</summary>
internal sealed class UsePart
{
    public static readonly string[] Columns =
    [
        "io.read_bytes", "io.write_bytes", "io.reads", "io.writes",
        "pids.current", "pids.limit", "pids.refused", "processes", "open_files",
        "filesystem.capacity", "filesystem.used", "filesystem.available",
        "pressure.cpu.some", "pressure.memory.some", "pressure.memory.full", "pressure.io.some", "pressure.io.full",
    ];

    private const int Pids = 4;
    private const int Refused = 6;
    private const int Processes = 7;
    private const int OpenFiles = 8;
    private const int FileSystem = 9;
    private const int PressureFirst = 12;

    // Lists of processes that are kept for the next container: a few readers at once, of containers of the usual size.
    private const int MaxKeptLists = 4;
    private const int MaxKeptPids = 4096;

    private static readonly string[] Raw = ["pids.current", "pids.max", "events.max", "cpu.some.total", "memory.some.total", "memory.full.total", "io.some.total", "io.full.total"];

    private static readonly NameTable IoKeys = new(["rbytes", "wbytes", "rios", "wios"]);

    private readonly ConcurrentBag<List<int>> _pidLists = [];
    private readonly ScratchSheets _scratch = new(Raw.Length);
    private readonly ContainerCgroups _groups;
    private readonly WrittenSpace _written;
    private readonly MeasuredHierarchy? _block;
    private readonly MeasuredHierarchy? _pids;
    private readonly MeasuredHierarchy? _unified;
    private readonly GroupFile _ioBytes;
    private readonly GroupFile _ioCounts;
    private readonly GroupFile _ioStat;
    private readonly GroupText[] _pidTexts;
    private readonly GroupText[] _pressure;

    public UsePart(ContainerCgroups groups, TimeProvider time)
    {
        _groups = groups;
        _written = new WrittenSpace(time);
        var tree = groups.Tree;
        _block = tree.Version1("blkio");
        _pids = tree.Version1("pids") ?? tree.Version2;
        _unified = tree.Version2;
        _ioBytes = tree.File("blkio.throttle.io_service_bytes_recursive");
        _ioCounts = tree.File("blkio.throttle.io_serviced_recursive");
        _ioStat = tree.File("io.stat");
        _pidTexts =
        [
            new(tree.File("pids.current"), GroupTextKind.Number, Raw),
            new(tree.File("pids.max"), GroupTextKind.Number, Raw),
            new(tree.File("pids.events"), GroupTextKind.Keyed, Raw, "events."),
        ];
        _pressure = [.. new[] { "cpu", "memory", "io" }.Select(r => new GroupText(tree.File(r + ".pressure"), GroupTextKind.Pressure, Raw, r + "."))];
    }

    /// <summary>Fills the columns from <paramref name="first"/> on, as far as they are asked for.</summary>
    public void Read(ContainerDescription container, CounterLedger.Account account, Sheet sheet, int row, int first)
    {
        if (sheet.WantsAnyOf(first, first + Pids))
        {
            ReadIo(container, account);
        }

        if (sheet.WantsAnyOf(first + Pids, first + Processes) && _groups.Find(container, _pids) is { } group)
        {
            ReadPids(group, account, sheet, row, first);
        }

        if (sheet.WantsAnyOf(first + Processes, first + FileSystem))
        {
            ReadProcesses(container, sheet, row, first);
        }

        if (sheet.WantsAnyOf(first + FileSystem, first + PressureFirst))
        {
            ReadFileSystem(container, sheet, row, first + FileSystem);
        }

        if (sheet.WantsAnyOf(first + PressureFirst, first + Columns.Length) && _groups.Find(container, _unified) is { } unified)
        {
            using var loan = _scratch.Rent();
            var scratch = loan.Sheet;
            var at = _groups.Read(unified, scratch, _pressure);
            for (var i = 0; i < 5; i++)
            {
                if (scratch.Has(at, 3 + i))
                {
                    account.Add(Columns[PressureFirst + i], unified.Path, ContainerCgroups.Epoch(unified), scratch.Number(at, 3 + i));
                }
            }
        }

        for (var i = 0; i < Columns.Length; i++)
        {
            if ((i is < Pids or Refused or >= PressureFirst) && sheet.Wants(first + i) && account.Total(Columns[i]) is { } total)
            {
                sheet.Set(row, first + i, total);
            }
        }
    }

    /// <summary>Adds up the reads and writes of all devices in a v1 file of <c>8:0 Read 4096</c>.</summary>
    internal static (long Reads, long Writes) SumVersion1(ReadOnlySpan<byte> text)
    {
        var (reads, writes) = (0L, 0L);
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out _) && fields.TryNext(out var word) && fields.TryNumber(out var value))
            {
                reads += word.SequenceEqual("Read"u8) ? value : 0;
                writes += word.SequenceEqual("Write"u8) ? value : 0;
            }
        }

        return (reads, writes);
    }

    /// <summary>Adds up what all devices of a v2 io.stat say: bytes read and written, reads and writes.</summary>
    internal static void SumVersion2(ReadOnlySpan<byte> text, Span<long> sums)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            fields.Skip(1);
            while (fields.TryNext(out var field))
            {
                var equals = field.IndexOf((byte)'=');
                if (equals > 0 && IoKeys.Find(field[..equals]) is >= 0 and var key && TextNumbers.TryParse(field[(equals + 1)..], out var value))
                {
                    sums[key] += value;
                }
            }
        }
    }

    private void ReadIo(ContainerDescription container, CounterLedger.Account account)
    {
        Span<long> sums = stackalloc long[4];
        var group = _groups.Find(container, _block ?? _unified);
        if (group is null)
        {
            return;
        }

        if (_block is null)
        {
            using var text = group.Read(_ioStat, _groups.Tree.Budget);
            SumVersion2(text.Bytes, sums);
        }
        else
        {
            using var bytes = group.Read(_ioBytes, _groups.Tree.Budget);
            using var counts = group.Read(_ioCounts, _groups.Tree.Budget);
            (sums[0], sums[1]) = SumVersion1(bytes.Bytes);
            (sums[2], sums[3]) = SumVersion1(counts.Bytes);
        }

        for (var i = 0; i < sums.Length; i++)
        {
            account.Add(Columns[i], group.Path, ContainerCgroups.Epoch(group), sums[i]);
        }
    }

    private void ReadPids(CgroupNode group, CounterLedger.Account account, Sheet sheet, int row, int first)
    {
        using var loan = _scratch.Rent();
        var scratch = loan.Sheet;
        var at = _groups.Read(group, scratch, _pidTexts);
        if (scratch.Has(at, 0))
        {
            sheet.Set(row, first + Pids, scratch.Value(at, 0));
        }

        if (sheet.Wants(first + Pids + 1) && FindPidsLimit(group) is { } limit)
        {
            sheet.Set(row, first + Pids + 1, limit);
        }

        account.Add(Columns[Refused], group.Path, ContainerCgroups.Epoch(group), scratch.Number(at, 2));
        foreach (var child in group.ChildList)
        {
            CountRefused(child, account);
        }
    }

    // A group without a limit has what those below it may have together, as with memory: a pod's apps.
    private long? FindPidsLimit(CgroupNode group)
    {
        long? own;
        using (var loan = _scratch.Rent())
        {
            var row = _groups.Read(group, loan.Sheet, _pidTexts[1]);
            own = loan.Sheet.Has(row, 1) ? loan.Sheet.Number(row, 1) : null;
        }

        if (own != GroupText.NoLimit || group.ChildList.Length == 0)
        {
            return own;
        }

        long sum = 0;
        foreach (var child in group.ChildList)
        {
            if (FindPidsLimit(child) is not { } limit || limit == GroupText.NoLimit)
            {
                return own;
            }

            sum += limit;
        }

        return sum;
    }

    private void CountRefused(CgroupNode group, CounterLedger.Account account)
    {
        using (var loan = _scratch.Rent())
        {
            account.Add(Columns[Refused], group.Path, ContainerCgroups.Epoch(group), loan.Sheet.Number(_groups.Read(group, loan.Sheet, _pidTexts[2]), 2));
        }

        foreach (var child in group.ChildList)
        {
            CountRefused(child, account);
        }
    }

    private void ReadProcesses(ContainerDescription container, Sheet sheet, int row, int first)
    {
        if (container.State is ContainerState.Prepared or ContainerState.Exited)
        {
            return;
        }

        var processes = _pidLists.TryTake(out var kept) ? kept : [];
        ContainerProcesses.Find(container, _groups.Tree, processes);
        sheet.Set(row, first + Processes, processes.Count);
        if (sheet.Wants(first + OpenFiles))
        {
            long open = 0;
            foreach (var pid in processes)
            {
                open += Math.Max(0, ProcessFiles.CountEntries(pid, "fd"u8));
            }

            sheet.Set(row, first + OpenFiles, open);
        }

        if (processes.Count <= MaxKeptPids && _pidLists.Count < MaxKeptLists)
        {
            _pidLists.Add(processes);
        }
    }

    private void ReadFileSystem(ContainerDescription container, Sheet sheet, int row, int first)
    {
        // What it has written over its images is its own, whether it runs or not; without an overlay nothing tells it from others' files.
        var isOverlay = false;
        if (sheet.Wants(first + 1) && _written.Find(container, out isOverlay) is { } written)
        {
            sheet.Set(row, first + 1, written);
        }

        if (container.InitPid <= 0)
        {
            return;
        }

        using var root = ProcessRoot.Open(container.InitPid);
        var descriptor = root.OpenPath("/");
        if (descriptor < 0)
        {
            return;
        }

        if (FileCalls.TryGetSpace(descriptor, out var space))
        {
            sheet.Set(row, first, (long)(space.Blocks * (ulong)space.BlockSize));
            sheet.Set(row, first + 2, (long)(space.Available * (ulong)space.BlockSize));
            if (sheet.Wants(first + 1) && !isOverlay)
            {
                sheet.Set(row, first + 1, (long)((space.Blocks - space.Free) * (ulong)space.BlockSize));
            }
        }

        _ = FileCalls.Close(descriptor);
    }
}
