using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes;

/// <summary>
/// The processes, a row each, with those of their files whose values are asked for. Only a client whose user is known sees
/// any; one that is not root sees of other users' processes what /proc shows to everybody.
/// </summary>
internal sealed class ProcessSource : Source
{
    private const int Root = 0;

    private static readonly string[] Memory = ["size", "memory_rss", "share", "textrss", "librss", "datrss", "dirty"];
    private static readonly string[] Scheduling = ["cpu_time", "run_delay", "pcount"];
    private static readonly string[] InputOutput = ["rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"];
    private static readonly string[] Maps =
    [
        "Rss", "Pss", "Pss_Anon", "Pss_File", "Pss_Shmem", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "LazyFree",
        "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss", "Locked",
    ];

    private static readonly NameTable InputOutputKeys = new(InputOutput);
    private static readonly NameTable MapKeys = new(Maps);

    private readonly AccountNames _accounts = new();
    private readonly ProcessChoice? _choice;
    private readonly HotProcesses? _hot;
    private readonly Part[] _parts;

    /// <summary>The processes that each client sees.</summary>
    public ProcessSource(ProcessChoice choice, InstanceDomainId domain)
        : this(ContainerScope.Container, domain, MakeParts()) => _choice = choice;

    /// <summary>Those processes alone that a predicate chose, whoever looks.</summary>
    public ProcessSource(HotProcesses hot, InstanceDomainId domain)
        : this(ContainerScope.Host, domain, MakeParts()) => _hot = hot;

    private ProcessSource(ContainerScope scope, InstanceDomainId domain, Part[] parts)
        : base(scope, new SheetShape(domain, [.. parts.SelectMany(p => p.Columns)]))
    {
        _parts = parts;
    }

    /// <summary>Reads one part of a process into the columns from <paramref name="first"/> on; false when the process is gone.</summary>
    private delegate bool PartReader(ProcessSource source, int pid, bool isThread, Sheet sheet, int row, int first);

    /// <inheritdoc/>
    public override InstanceSelection ProbeSelection => new(true, [Environment.ProcessId]);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        if (context.View.UserId is not { } user)
        {
            // No instances and no values; a client that asks only for names gets an empty list.
            sheet.Fail(PcpError.Permission);
            return;
        }

        Span<int> wanted = stackalloc int[_parts.Length];
        var count = 0;
        for (int i = 0, first = 0; i < _parts.Length; first += _parts[i++].Columns.Length)
        {
            if (sheet.WantsAnyOf(first, first + _parts[i].Columns.Length))
            {
                wanted[count++] = i;
            }
        }

        var hasThreads = _choice?.HasThreads(context.View) == true;
        if (sheet.Selection.Listed is { } listed && _choice?.IsEverything(context) == true)
        {
            foreach (var pid in listed)
            {
                Read(pid, isThread: false, user, sheet, wanted[..count]);
            }

            return;
        }

        foreach (var pid in _choice?.List(context) ?? _hot!.Processes)
        {
            if (sheet.Selection.Wants(pid))
            {
                Read(pid, hasThreads, user, sheet, wanted[..count]);
            }
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [] : [new("pid", instance.ToString(System.Globalization.CultureInfo.InvariantCulture))];

    private void Read(int pid, bool isThread, uint user, Sheet sheet, ReadOnlySpan<int> wanted)
    {
        var owner = ProcessFiles.Owner(pid);
        if (owner is null)
        {
            return;
        }

        var row = sheet.AddRow(pid, sheet.WantsNames ? $"{pid:D6} {Arguments(pid)}" : null);
        var mayLook = user == Root || owner == user;
        for (int i = 0, part = 0, first = 0; i < wanted.Length; first += _parts[part++].Columns.Length)
        {
            if (wanted[i] != part)
            {
                continue;
            }

            i++;
            if ((!_parts[part].IsPrivate || mayLook) && !_parts[part].Read(this, pid, isThread, sheet, row, first))
            {
                sheet.DropLastRow();
                return;
            }
        }
    }

    // What a process's file adds up over its threads, a thread has for itself.
    private static KernelText ReadSummed(int pid, bool isThread, ReadOnlySpan<byte> name) => isThread ? ProcessFiles.ReadOfThread(pid, name) : ProcessFiles.Read(pid, name);

    private static Part[] MakeParts() =>
    [
        new(ProcessStat.Columns, false, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ReadSummed(pid, isThread, "stat"u8);
            return text.Error == 0 && ProcessStat.Parse(text.Bytes, sheet, row, first);
        }),
        new(Memory, false, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ProcessFiles.Read(pid, "statm"u8);
            ParseMemory(text.Bytes, sheet, row, first);
            return text.Error == 0;
        }),
        new(ProcessStatus.Columns, false, (source, pid, isThread, sheet, row, first) =>
        {
            using var text = ProcessFiles.Read(pid, "status"u8);
            ProcessStatus.Parse(text.Bytes, sheet, row, first, source._accounts);
            return text.Error == 0;
        }),
        new(["psargs"], false, (_, pid, isThread, sheet, row, first) => SetText(sheet, row, first, Arguments(pid))),
        new(["cgroups", "container"], false, ReadGroups),
        new(["wchan_s"], false, (_, pid, isThread, sheet, row, first) => SetJoined(pid, "wchan"u8, sheet, row, first)),
        new(["oom_score"], false, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ProcessFiles.Read(pid, "oom_score"u8);
            return !TextNumbers.TryParse(text.Bytes.TrimEnd((byte)'\n'), out var score) || SetNumber(sheet, row, first, score);
        }),
        new(Scheduling, false, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ReadSummed(pid, isThread, "schedstat"u8);
            var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
            for (var i = 0; i < Scheduling.Length && fields.TryNumber(out var value); i++)
            {
                sheet.Set(row, first + i, value);
            }

            return true;
        }),
        new(["autogroup_id", "autogroup_nice"], false, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ProcessFiles.Read(pid, "autogroup"u8);
            ParseAutogroup(text.Bytes, sheet, row, first);
            return true;
        }),
        new(InputOutput, true, (_, pid, isThread, sheet, row, first) => ReadKeyed(ReadSummed(pid, isThread, "io"u8), InputOutputKeys, sheet, row, first)),
        new(Maps, true, (_, pid, isThread, sheet, row, first) => ReadKeyed(ProcessFiles.Read(pid, "smaps_rollup"u8), MapKeys, sheet, row, first)),
        new(["fd_count"], true, (_, pid, isThread, sheet, row, first) => ProcessFiles.CountEntries(pid, "fd"u8) is not (>= 0 and var open) || SetNumber(sheet, row, first, open)),
        new(["environ"], true, (_, pid, isThread, sheet, row, first) => SetJoined(pid, "environ"u8, sheet, row, first)),
        new(["exe"], true, (_, pid, isThread, sheet, row, first) => SetText(sheet, row, first, ProcessFiles.Link(pid, "exe"u8) ?? "")),
        new(["cwd"], true, (_, pid, isThread, sheet, row, first) => SetText(sheet, row, first, ProcessFiles.Link(pid, "cwd"u8) ?? "")),
        new(["maps"], true, (_, pid, isThread, sheet, row, first) =>
        {
            using var text = ProcessFiles.Read(pid, "maps"u8);
            return SetText(sheet, row, first, Encoding.UTF8.GetString(text.Bytes));
        }),
    ];

    internal static void ParseMemory(ReadOnlySpan<byte> text, Sheet sheet, int row, int first)
    {
        var fields = new TextFields(text.TrimEnd((byte)'\n'));
        for (var i = 0; i < Memory.Length && fields.TryNumber(out var pages); i++)
        {
            sheet.Set(row, first + i, pages * (Environment.SystemPageSize / 1024));
        }
    }

    /// <summary><c>/autogroup-15952 nice 0</c></summary>
    internal static void ParseAutogroup(ReadOnlySpan<byte> text, Sheet sheet, int row, int first)
    {
        sheet.Set(row, first, 0L);
        sheet.Set(row, first + 1, 0L);
        var fields = new TextFields(text.TrimEnd((byte)'\n'));
        if (fields.TryNext(out var name) && name.StartsWith("/autogroup-"u8) && TextNumbers.TryParse(name[11..], out var id) && fields.TryNext(out _) && fields.TryNumber(out var nice))
        {
            sheet.Set(row, first, id);
            sheet.Set(row, first + 1, nice);
        }
    }

    internal static string Arguments(int pid)
    {
        using (var text = ProcessFiles.Read(pid, "cmdline"u8))
        {
            var arguments = ProcessFiles.Joined(text.Bytes);
            if (arguments.Length > 0)
            {
                return arguments;
            }
        }

        // Threads of the kernel and ended processes have no arguments, only a name.
        using var name = ProcessFiles.Read(pid, "comm"u8);
        return $"({Encoding.UTF8.GetString(name.Bytes.TrimEnd((byte)'\n'))})";
    }

    private static bool ReadGroups(ProcessSource source, int pid, bool isThread, Sheet sheet, int row, int first)
    {
        using var text = ProcessFiles.Read(pid, "cgroup"u8);
        if (text.Error != 0)
        {
            return text.Error != -Errno.ENOENT && text.Error != -Errno.ESRCH;
        }

        // "4:memory:/a" becomes "memory:/a", the lines parted by semicolons.
        var groups = Encoding.UTF8.GetString(text.Bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        var joined = string.Join(';', groups);
        sheet.Set(row, first, joined);
        sheet.Set(row, first + 1, ContainerGroups.Identification(joined));
        return true;
    }

    private static bool ReadKeyed(KernelText file, NameTable keys, Sheet sheet, int row, int first)
    {
        using var text = file;
        var lines = new TextLines(text.Bytes);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out var key) && keys.Find(key.TrimEnd((byte)':')) is >= 0 and var column && fields.TryNumber(out var value))
            {
                sheet.Set(row, first + column, value);
            }
        }

        return true;
    }

    private static bool SetJoined(int pid, ReadOnlySpan<byte> file, Sheet sheet, int row, int first)
    {
        using var text = ProcessFiles.Read(pid, file);
        return SetText(sheet, row, first, ProcessFiles.Joined(text.Bytes));
    }

    private static bool SetText(Sheet sheet, int row, int column, string value)
    {
        sheet.Set(row, column, value);
        return true;
    }

    private static bool SetNumber(Sheet sheet, int row, int column, long value)
    {
        sheet.Set(row, column, value);
        return true;
    }

    /// <summary>A file of a process: its columns, whether only its owner and root may read it, and how it is read.</summary>
    private sealed record Part(string[] Columns, bool IsPrivate, PartReader Read);
}
