using Muster.Linux.Processes;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>System V IPC: its limits below /proc/sys/kernel and those fixed in the kernel, its use as the tables of /proc/sysvipc add up.</summary>
internal sealed class IpcSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, Columns))
{
    private static readonly string[] Columns =
    [
        "shmmax", "shmmni", "shmall", "msgmax", "msgmnb", "msgmni", "sem0", "sem1", "sem2", "sem3",
        "shm_used", "shm_bytes", "shm_rss", "shm_swap", "sem_used", "sem_total", "msg_used", "msg_messages", "msg_bytes",
        "semmap", "semmnu", "semume", "semusz", "semvmx", "semaem", "msgpool", "msgmap", "msgssz", "msgtql", "msgseg", "shmmin", "shmseg",
        "swap_attempts", "swap_successes",
    ];

    private const int Tables = 10;
    private const int Constants = 19;

    // Where the kernel's structures have them.
    private static readonly int[] OfSemaphores = [0, 3, 6, 7, 8, 9];
    private static readonly int[] OfMessages = [0, 1, 5, 6, 7];
    private static readonly int[] OfSharedMemory = [1, 3];

    private readonly KernelFile[] _limits = [.. Columns.Take(6).Append("sem").Select(n => new KernelFile("/proc/sys/kernel/" + n))];

    // A table, the column of its count, and which fields are added up into which columns after it.
    private readonly (KernelFile File, int Count, int[] Fields)[] _tables =
    [
        (new("/proc/sysvipc/shm"), 10, [3, 14, 15]),
        (new("/proc/sysvipc/sem"), 14, [3]),
        (new("/proc/sysvipc/msg"), 16, [4, 3]),
    ];

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        var row = sheet.AddRow(-1);
        for (var i = 0; i < _limits.Length; i++)
        {
            if (!sheet.WantsAnyOf(i, i == 6 ? Tables : i + 1))
            {
                continue;
            }

            using var text = _limits[i].Read();
            var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
            for (var column = i; column < Tables && fields.TryNumber(out var value); column++)
            {
                // The metrics have 32 bits; a limit above them is no limit.
                sheet.Set(row, column, (ulong)value > uint.MaxValue ? uint.MaxValue : value);
            }
        }

        if (sheet.WantsAnyOf(Constants, Columns.Length))
        {
            ReadConstants(sheet, row);
        }

        foreach (var (file, count, fields) in _tables)
        {
            if (sheet.WantsAnyOf(count, count + fields.Length + 1))
            {
                using var text = file.Read();
                AddUp(text.Bytes, sheet, row, count, fields);
            }
        }
    }

    private static void ReadConstants(Sheet sheet, int row)
    {
        Span<int> numbers = stackalloc int[10];
        var column = Constants;
        Put(IpcLimits.TryGetSemaphores(numbers), OfSemaphores, numbers);
        Put(IpcLimits.TryGetMessages(numbers), OfMessages, numbers);
        Span<ulong> shared = stackalloc ulong[5];
        if (IpcLimits.TryGetSharedMemory(shared))
        {
            foreach (var place in OfSharedMemory)
            {
                sheet.Set(row, column++, (long)Math.Min(shared[place], uint.MaxValue));
            }
        }

        if (IpcLimits.TryGetSwaps(out var attempts, out var successes))
        {
            sheet.Set(row, Columns.Length - 2, (long)attempts);
            sheet.Set(row, Columns.Length - 1, (long)successes);
        }

        void Put(bool isKnown, int[] places, Span<int> from)
        {
            foreach (var place in places)
            {
                if (isKnown)
                {
                    sheet.Set(row, column, (uint)from[place]);
                }

                column++;
            }
        }
    }

    internal static void AddUp(ReadOnlySpan<byte> table, Sheet sheet, int row, int count, int[] fields)
    {
        var lines = new TextLines(table);
        if (!lines.TryNext(out _))
        {
            return;
        }

        for (var column = count; column <= count + fields.Length; column++)
        {
            sheet.Set(row, column, 0L);
        }

        while (lines.TryNext(out var line))
        {
            sheet.Add(row, count, 1);
            for (var i = 0; i < fields.Length; i++)
            {
                var rest = new TextFields(line);
                rest.Skip(fields[i]);
                if (rest.TryNumber(out var value))
                {
                    sheet.Add(row, count + 1 + i, value);
                }
            }
        }
    }
}
