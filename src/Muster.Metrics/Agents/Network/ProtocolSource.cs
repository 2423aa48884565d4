using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Network;

/// <summary>/proc/net/snmp and /proc/net/netstat: a line of names and a line of numbers for each protocol; ICMP messages by type.</summary>
internal sealed class ProtocolSource : Source
{
    /// <summary>ICMP types are one byte.</summary>
    private const int MaxIcmpType = 255;

    private readonly KernelFile _snmp = new("/proc/net/snmp", below: "net/snmp");
    private readonly KernelFile _netstat = new("/proc/net/netstat", below: "net/netstat");
    private readonly NameTable _columns;
    private readonly bool[] _isExtension;

    public ProtocolSource(InstanceDomainId icmpTypes, IReadOnlyList<MetricLine> lines)
        : base(ContainerScope.RunningContainer, new SheetShape(InstanceDomainId.None, MetricTable.Columns(lines)), new SheetShape(icmpTypes, ["intype", "outtype"]))
    {
        _columns = new NameTable(Shapes[0].Columns);
        _isExtension = [.. Shapes[0].Columns.Select(c => c[..c.IndexOf('.', StringComparison.Ordinal)].EndsWith("Ext", StringComparison.Ordinal))];
    }

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var row = sheets[0].AddRow(-1);
        var (wantsBasic, wantsExtensions) = (sheets[1].WantsAny || sheets[1].WantsNames, false);
        for (var i = 0; i < _isExtension.Length; i++)
        {
            wantsBasic |= !_isExtension[i] && sheets[0].Wants(i);
            wantsExtensions |= _isExtension[i] && sheets[0].Wants(i);
        }

        if (wantsBasic)
        {
            Read(_snmp, context, sheets, row);
        }

        if (wantsExtensions && sheets[0].Error == 0)
        {
            Read(_netstat, context, sheets, row);
        }
    }

    internal static void Parse(ReadOnlySpan<byte> text, ReadOnlySpan<Sheet> sheets, int row, NameTable columns)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var head) && lines.TryNext(out var body))
        {
            var names = new TextFields(head);
            var numbers = new TextFields(body);
            if (!names.TryNext(out var protocol) || !numbers.TryNext(out var same) || !protocol.SequenceEqual(same) || protocol.Length > 32)
            {
                continue;
            }

            if (protocol.SequenceEqual("IcmpMsg:"u8))
            {
                ReadTypes(names, numbers, sheets[1]);
                continue;
            }

            ReadProtocol(protocol.TrimEnd((byte)':'), names, numbers, sheets[0], row, columns);
        }
    }

    private static void ReadProtocol(ReadOnlySpan<byte> protocol, TextFields names, TextFields numbers, Sheet sheet, int row, NameTable columns)
    {
        Span<byte> key = stackalloc byte[128];
        protocol.CopyTo(key);
        key[protocol.Length] = (byte)'.';
        while (names.TryNext(out var name) && numbers.TryNumber(out var value))
        {
            if (name.Length > 64)
            {
                continue;
            }

            name.CopyTo(key[(protocol.Length + 1)..]);
            if (columns.Find(key[..(protocol.Length + 1 + name.Length)]) is >= 0 and var column)
            {
                sheet.Set(row, column, value);
            }
        }
    }

    private static void ReadTypes(TextFields names, TextFields numbers, Sheet sheet)
    {
        while (names.TryNext(out var name) && numbers.TryNumber(out var value))
        {
            var column = name.StartsWith("InType"u8) ? 0 : name.StartsWith("OutType"u8) ? 1 : -1;
            if (column >= 0 && TextNumbers.TryParse(name[(6 + column)..], out var type) && type is >= 0 and <= MaxIcmpType)
            {
                var row = RowOf(sheet, (int)type);
                sheet.Set(row, column, value);
            }
        }
    }

    private static int RowOf(Sheet sheet, int type)
    {
        for (var row = 0; row < sheet.Rows; row++)
        {
            if (sheet.Instance(row) == type)
            {
                return row;
            }
        }

        return sheet.AddRow(type, $"Type{type}");
    }

    private void Read(KernelFile file, ReadContext context, ReadOnlySpan<Sheet> sheets, int row)
    {
        using var text = file.Read(context.Pid);
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            sheets[1].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets, row, _columns);
    }
}
