using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Processes;

/// <summary>How many processes are in which state.</summary>
internal sealed class RunQueueSource(ProcessChoice choice) : Source(ContainerScope.Container, new SheetShape(InstanceDomainId.None, Columns))
{
    private static readonly string[] Columns = ["nprocs", "runnable", "blocked", "sleeping", "stopped", "swapped", "defunct", "unknown", "kernel"];

    // Where state, virtual size and resident size are among ProcessStat's columns.
    private static readonly int State = Array.IndexOf(ProcessStat.Columns, "sname");
    private static readonly int Virtual = Array.IndexOf(ProcessStat.Columns, "vsize");
    private static readonly int Resident = Array.IndexOf(ProcessStat.Columns, "rss");

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        if (context.View.UserId is null)
        {
            sheet.Fail(PcpError.Permission);
            return;
        }

        var row = sheet.AddRow(-1);
        for (var column = 0; column < Columns.Length; column++)
        {
            sheet.Set(row, column, 0L);
        }

        // Only their number follows the client's own choice: queues are of processes.
        if (sheet.Wants(0))
        {
            sheet.Set(row, 0, choice.List(context).Count);
        }

        if (!sheet.WantsAnyOf(1, Columns.Length))
        {
            return;
        }

        var scratch = new Sheet(ProcessStat.Columns.Length);
        foreach (var pid in context.Container is { } container ? ContainerProcesses.Of(container, choice.Tree) : ProcessFiles.All())
        {
            using var text = ProcessFiles.Read(pid, "stat"u8);
            scratch.Clear();
            if (text.Error == 0 && ProcessStat.Parse(text.Bytes, scratch, scratch.AddRow(pid), 0))
            {
                sheet.Add(row, Classify(scratch), 1);
            }
        }
    }

    private static int Classify(Sheet process) => process.Value(0, State).Text switch
    {
        "R" => 1,
        "D" => 2,
        "Z" or "X" => 6,
        "T" or "t" => 4,
        // A process without address space of its own is a thread of the kernel.
        "S" or "I" or "P" => process.Number(0, Virtual) == 0 ? 8 : process.Number(0, Resident) == 0 ? 5 : 3,
        _ => 7,
    };
}
