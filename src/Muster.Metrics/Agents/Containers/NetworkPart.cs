using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Metrics.Agents.Network;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>Traffic of a container's interfaces, read in its network namespace without entering it.</summary>
internal sealed class NetworkPart
{
    /// <summary>Of all interfaces but loopback together; the same without the first word for one interface.</summary>
    public static readonly string[] Columns =
    [
        "network.in.bytes", "network.in.packets", "network.in.errors", "network.in.drops",
        "network.out.bytes", "network.out.packets", "network.out.errors", "network.out.drops",
    ];

    public static readonly string[] InterfaceColumns = [.. Columns.Select(c => c["network.".Length..])];

    /// <summary>Interfaces of one container that are measured: it may make as many as it likes.</summary>
    private const int MaxInterfaces = 64;

    // /proc/net/dev has 16 numbers: eight of receipt, eight of sending; the first four of each are what we give.
    private const int NumbersInText = 20;

    private readonly InstanceNames _names = new();

    /// <summary>Fills a row for each interface, and the sums into the container's row.</summary>
    public void Read(ContainerDescription container, CounterLedger.Account account, Sheet containers, int row, int first, Sheet interfaces)
    {
        if (container.HasOwnNetwork && !(container.InitPid > 0 && CountOf(container.InitPid, account)) && container.NetworkNamespace is { } file)
        {
            CountIn(file, account);
        }

        for (var i = 0; i < Columns.Length; i++)
        {
            if (containers.Wants(first + i) && account.Total(Columns[i]) is { } total)
            {
                containers.Set(row, first + i, total);
            }
        }

        if (!interfaces.WantsAny && !interfaces.WantsNames)
        {
            return;
        }

        foreach (var name in account.Interfaces)
        {
            var instance = _names.Find($"{container.Name}::{name}");
            var at = interfaces.AddRow(instance.Id, instance.Name);
            for (var i = 0; i < InterfaceColumns.Length; i++)
            {
                if (account.Total($"{name} {InterfaceColumns[i]}") is { } total)
                {
                    interfaces.Set(at, i, total);
                }
            }
        }
    }

    // False when the process is gone: its namespace may be there all the same.
    private static bool CountOf(int pid, CounterLedger.Account account)
    {
        using var text = ProcessFiles.Read(pid, "net/dev"u8);
        if (text.Error != 0 || ProcessFiles.Link(pid, "ns/net"u8) is not { } link)
        {
            return false;
        }

        // "net:[4026531840]": the namespace's inode tells a restart from the same name of interface.
        Count(text.Bytes, ulong.TryParse(link.AsSpan(link.IndexOf('[', StringComparison.Ordinal) + 1).TrimEnd(']'), out var inode) ? inode : 0, account);
        return true;
    }

    private static void CountIn(string namespaceFile, CounterLedger.Account account)
    {
        try
        {
            using var file = NetworkNamespace.Open(namespaceFile);
            var inode = FileStatus.Read((int)file.DangerousGetHandle()).Inode;
            Count(NetworkNamespace.Run(namespaceFile, () => File.ReadAllBytes("/proc/thread-self/net/dev")), inode, account);
        }
        catch (Exception e) when (e is LinuxException or IOException)
        {
            // It has been removed meanwhile.
        }
    }

    private static void Count(ReadOnlySpan<byte> text, ulong epoch, CounterLedger.Account account)
    {
        var scratch = new Sheet(NumbersInText);
        var names = new InstanceNames();
        InterfaceSource.Parse(text, scratch, names);
        for (var row = 0; row < scratch.Rows && row < MaxInterfaces; row++)
        {
            var name = scratch.Name(row)!;
            if (name == "lo")
            {
                continue;
            }

            account.AddInterface(name);
            for (var i = 0; i < Columns.Length; i++)
            {
                var raw = scratch.Number(row, i < 4 ? i : i + 4);
                account.Add(Columns[i], name, epoch, raw);
                account.Add($"{name} {InterfaceColumns[i]}", name, epoch, raw);
            }
        }
    }
}
