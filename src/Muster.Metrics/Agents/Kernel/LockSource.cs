using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/proc/locks (proc_locks(5)): file locks by kind.</summary>
internal sealed class LockSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, Columns))
{
    private static readonly string[] Columns = ["posix_read", "posix_write", "posix_count", "flock_read", "flock_write", "flock_count", "lease_read", "lease_write", "lease_count"];

    private readonly KernelFile _file = new("/proc/locks");

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0]);
    }

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet)
    {
        var row = sheet.AddRow(-1);
        for (var column = 0; column < Columns.Length; column++)
        {
            sheet.Set(row, column, 0L);
        }

        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // "1: POSIX  ADVISORY  WRITE 15839 fe:00:347539 0 EOF"; a waiter has "->" before the kind.
            var fields = new TextFields(line);
            if (!fields.TryNext(out _) || !fields.TryNext(out var kind) || !fields.TryNext(out _) || !fields.TryNext(out var mode))
            {
                continue;
            }

            var first = kind.SequenceEqual("POSIX"u8) || kind.SequenceEqual("OFDLCK"u8) ? 0 : kind.SequenceEqual("FLOCK"u8) ? 3 : kind.SequenceEqual("LEASE"u8) ? 6 : -1;
            if (first >= 0)
            {
                sheet.Add(row, first + (mode.SequenceEqual("WRITE"u8) || mode.SequenceEqual("RW"u8) ? 1 : 0), 1);
                sheet.Add(row, first + 2, 1);
            }
        }
    }
}
