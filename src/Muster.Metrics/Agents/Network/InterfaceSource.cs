using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Network;

/// <summary>/proc/net/dev: each interface, and all that have hardware together; what /sys says of the host's.</summary>
internal sealed class InterfaceSource(InstanceDomainId interfaces) : Source(
    ContainerScope.RunningContainer,
    new SheetShape(interfaces, Columns),
    new SheetShape(InstanceDomainId.None, [.. Sums, "ninterface"]))
{
    // In the order of the text; the others follow.
    private static readonly string[] Columns =
    [
        "in_bytes", "in_packets", "in_errors", "in_drops", "in_fifo", "in_frame", "in_compressed", "in_mcasts",
        "out_bytes", "out_packets", "out_errors", "out_drops", "out_fifo", "collisions", "out_carrier", "out_compressed",
        "total_bytes", "total_packets", "total_errors", "total_drops",
        "mtu", "speed", "baudrate", "duplex", "up", "running", "wireless", "type", "virtual",
    ];

    private static readonly string[] Sums =
    [
        "in_bytes", "in_packets", "in_errors", "in_drops", "out_bytes", "out_packets", "out_errors", "out_drops",
        "total_bytes", "total_packets", "total_errors", "total_drops",
    ];

    private const int Counters = 16;
    private const int Attributes = 20;
    private const long InterfaceUp = 1;
    private const double BytesPerMegabit = 125_000;

    private readonly KernelFile _file = new("/proc/net/dev", below: "net/dev");
    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read(context.Pid);
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            sheets[1].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0], _names);
        if (sheets[0].WantsAnyOf(Attributes, Columns.Length))
        {
            ReadAttributes(context.Pid, sheets[0]);
        }

        AddUp(context.Pid, sheets);
    }

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => probe.Error == 0;

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "interface"), new("indom_name", "per interface")] : _names.NameOf(instance) is { } name ? [new("interface", name)] : [];

    internal static void Parse(ReadOnlySpan<byte> text, Sheet sheet, InstanceNames names)
    {
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            // Names may hold a colon: the last one before the numbers ends it.
            var colon = line.LastIndexOf((byte)':');
            if (colon <= 0)
            {
                continue;
            }

            var name = line[..colon].Trim((byte)' ');
            var fields = new TextFields(line[(colon + 1)..]);
            var instance = name.IsEmpty ? default : names.Find(name);
            var row = sheet.AddRow(instance.Id, instance.Name);
            for (var column = 0; column < Counters && fields.TryNumber(out var value); column++)
            {
                sheet.Set(row, column, value);
            }

            for (var column = 0; column < 4; column++)
            {
                sheet.Set(row, Counters + column, sheet.Number(row, column) + sheet.Number(row, column + 8));
            }
        }
    }

    /// <summary>The attributes of a network namespace's links below <paramref name="folder"/>, which is /sys/class/net of that namespace.</summary>
    private static void ReadLink(Sheet sheet, int row, string folder)
    {
        SetNumber(sheet, row, 20, folder + "/mtu");
        SetNumber(sheet, row, 27, folder + "/type");
        if (ReadNumber(folder + "/speed") is > 0 and var megabits)
        {
            sheet.Set(row, 21, megabits / 8.0);
            sheet.Set(row, 22, (long)(megabits * BytesPerMegabit));
        }

        using (var duplex = KernelText.ReadFile(folder + "/duplex"))
        {
            if (duplex.Bytes.StartsWith("half"u8) || duplex.Bytes.StartsWith("full"u8))
            {
                sheet.Set(row, 23, duplex.Bytes[0] == 'h' ? 1L : 2L);
            }
        }

        using (var flags = KernelText.ReadFile(folder + "/flags"))
        {
            if (flags.Bytes.StartsWith("0x"u8) && TextNumbers.TryParseHex(flags.Bytes[2..].TrimEnd((byte)'\n'), out var bits))
            {
                sheet.Set(row, 24, (bits & InterfaceUp) != 0 ? 1L : 0L);
            }
        }

        sheet.Set(row, 25, ReadNumber(folder + "/carrier") == 1 ? 1L : 0L);
        sheet.Set(row, 26, Directory.Exists(folder + "/wireless") ? 1L : 0L);
        sheet.Set(row, 28, Directory.Exists(folder + "/device") ? 0L : 1L);
    }

    // A mount of /sys shows the links of the namespace in which it was mounted, so ours cannot be used for a container's
    // links; what netlink says of them is asked inside.
    private static void ReadAttributes(int pid, Sheet sheet)
    {
        if (pid == 0)
        {
            for (var row = 0; row < sheet.Rows; row++)
            {
                ReadLink(sheet, row, "/sys/class/net/" + sheet.Name(row));
            }

            return;
        }

        foreach (var link in Links(pid))
        {
            for (var row = 0; row < sheet.Rows; row++)
            {
                if (sheet.Name(row) == link.Name)
                {
                    sheet.Set(row, 20, link.Mtu);
                    sheet.Set(row, 24, link.Up ? 1L : 0L);
                    sheet.Set(row, 25, link.Running ? 1L : 0L);
                    sheet.Set(row, 26, 0L);
                    sheet.Set(row, 28, 1L);
                }
            }
        }
    }

    private static List<LinkInfo> Links(int pid) => NetworkNamespace.Run($"/proc/{pid}/ns/net", () =>
    {
        using var socket = new RouteSocket();
        return socket.Links();
    });

    private static void AddUp(int pid, ReadOnlySpan<Sheet> sheets)
    {
        var all = sheets[1].AddRow(-1);
        sheets[1].Set(all, Sums.Length, sheets[0].Rows);
        for (var column = 0; column < Sums.Length; column++)
        {
            sheets[1].Set(all, column, 0L);
        }

        for (var row = 0; sheets[1].WantsAnyOf(0, Sums.Length) && row < sheets[0].Rows; row++)
        {
            // A container's links have no hardware: there all but loopback count.
            if (pid == 0 ? !Directory.Exists($"/sys/class/net/{sheets[0].Name(row)}/device") : sheets[0].Name(row) == "lo")
            {
                continue;
            }

            for (var column = 0; column < Sums.Length; column++)
            {
                var from = column < 4 ? column : column < 8 ? column + 4 : column + 8;
                sheets[1].Add(all, column, sheets[0].Number(row, from));
            }
        }
    }

    private static void SetNumber(Sheet sheet, int row, int column, string path)
    {
        if (ReadNumber(path) is { } value)
        {
            sheet.Set(row, column, value);
        }
    }

    private static long? ReadNumber(string path)
    {
        using var text = KernelText.ReadFile(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), whole: true);
        return TextNumbers.TryParse(text.Bytes.TrimEnd((byte)'\n'), out var value) ? value : null;
    }
}
