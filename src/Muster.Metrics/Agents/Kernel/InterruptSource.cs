using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>The domains of instances of <see cref="InterruptSource"/>.</summary>
internal sealed record InterruptDomains(InstanceDomainId Lines, InstanceDomainId LinesAndCpus, InstanceDomainId Cpus);

/// <summary>/proc/interrupts or /proc/softirqs: a table of lines and CPUs with its sums.</summary>
internal sealed class InterruptSource(string path, string word, string perCpu, InterruptDomains domains) : Source(
    ContainerScope.Host,
    new SheetShape(domains.Lines, ["total"]),
    new SheetShape(domains.LinesAndCpus, ["count"]),
    new SheetShape(domains.Cpus, [perCpu]),
    new SheetShape(InstanceDomainId.None, ["ERR", "MIS"]))
{
    private readonly KernelFile _file = new(path);
    private readonly InstanceNames _lines = new();
    private readonly InstanceNames _cells = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            foreach (var sheet in sheets)
            {
                sheet.Fail(text.Error);
            }

            return;
        }

        Parse(text.Bytes, sheets, _lines, _cells);
    }

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, InstanceNames lineNames, InstanceNames cellNames)
    {
        var lines = new TextLines(text);
        if (!lines.TryNext(out var head))
        {
            return;
        }

        // The numbers of the CPUs that are online: "CPU0 CPU1 CPU3".
        var cpus = new List<int>();
        var names = new TextFields(head);
        while (names.TryNext(out var cpu) && cpu.StartsWith("CPU"u8) && TextNumbers.TryParse(cpu[3..], out var number) && number is >= 0 and < 65536)
        {
            cpus.Add((int)number);
            sheets[2].AddRow((int)number, sheets[2].WantsNames ? $"cpu{number}" : null);
        }

        var single = sheets[3].AddRow(-1);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var key) || key[^1] != ':' || key.Length is 1 or > 64)
            {
                continue;
            }

            key = key[..^1];
            var special = key.SequenceEqual("ERR"u8) ? 0 : key.SequenceEqual("MIS"u8) ? 1 : -1;
            if (special >= 0)
            {
                if (fields.TryNumber(out var value))
                {
                    sheets[3].Set(single, special, value);
                }

                continue;
            }

            ReadLine(key, fields, sheets, cpus, lineNames, cellNames);
        }
    }

    private static void ReadLine(ReadOnlySpan<byte> key, TextFields fields, ReadOnlySpan<Sheet> sheets, List<int> cpus, InstanceNames lineNames, InstanceNames cellNames)
    {
        Span<byte> name = stackalloc byte[96];
        long total = 0;
        for (var i = 0; i < cpus.Count && fields.TryNumber(out var count); i++)
        {
            total += count;
            sheets[2].Add(i, 0, count);
            if (sheets[1].WantsAny || sheets[1].WantsNames)
            {
                key.CopyTo(name);
                Encoding.UTF8.TryGetBytes($"::cpu{cpus[i]}", name[key.Length..], out var length);
                var cell = cellNames.Find(name[..(key.Length + length)]);
                sheets[1].Set(sheets[1].AddRow(cell.Id, cell.Name), 0, count);
            }
        }

        var instance = lineNames.Find(key);
        sheets[0].Set(sheets[0].AddRow(instance.Id, instance.Name), 0, total);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance)
    {
        if (domain == domains.Cpus)
        {
            return CpuTopology.Labels(instance);
        }

        return instance >= 0 ? [] : domain == domains.Lines ? [new("indom_name", "per " + word)] : [new("device_type", "cpu"), new("indom_name", $"per cpu, per {word}")];
    }
}
