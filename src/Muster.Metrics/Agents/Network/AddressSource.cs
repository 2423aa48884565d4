using System.Net;
using System.Net.Sockets;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Network;

/// <summary>The addresses of interfaces, the first of each family, as the kernel lists them over netlink (rtnetlink(7)).</summary>
internal sealed class AddressSource(InstanceDomainId domain) : Source(ContainerScope.RunningContainer, new SheetShape(domain, ["inet_addr", "ipv6_addr", "ipv6_scope", "hw_addr"]))
{
    private readonly InstanceNames _names = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var (links, addresses) = context.Pid == 0 ? List() : NetworkNamespace.Run($"/proc/{context.Pid}/ns/net", List);
        foreach (var link in links)
        {
            var instance = _names.Find(link.Name);
            var row = sheets[0].AddRow(instance.Id, instance.Name);
            if (link.Mac is { } mac)
            {
                sheets[0].Set(row, 3, mac);
            }

            foreach (var address in addresses)
            {
                if (address.Link == link.Index)
                {
                    SetAddress(sheets[0], row, address);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0 ? [new("device_type", "interface"), new("indom_name", "per interface")] : [];

    private static (List<LinkInfo> Links, List<AddressInfo> Addresses) List()
    {
        using var socket = new RouteSocket();
        return (socket.Links(), socket.Addresses());
    }

    private static void SetAddress(Sheet sheet, int row, AddressInfo address)
    {
        if (address.Address.AddressFamily == AddressFamily.InterNetwork && !sheet.Has(row, 0))
        {
            sheet.Set(row, 0, address.Address.ToString());
        }
        else if (address.Address.AddressFamily == AddressFamily.InterNetworkV6 && !sheet.Has(row, 1))
        {
            sheet.Set(row, 1, $"{new IPAddress(address.Address.GetAddressBytes())}/{address.PrefixLength}");
            sheet.Set(row, 2, address.Address.IsIPv6LinkLocal ? "Link" : IPAddress.IsLoopback(address.Address) ? "Host" : address.Address.IsIPv6SiteLocal ? "Site" : "Global");
        }
    }
}
