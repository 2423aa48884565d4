using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network.Tests;

/// <summary>Ethernet frames as a program with CAP_NET_RAW makes them, true or forged.</summary>
internal static class Frames
{
    public const ushort V4 = 0x0800;
    public const ushort Arp = 0x0806;
    public const ushort V6 = 0x86dd;
    public const ushort Tagged = 0x8100;

    /// <summary>Sends frames by eth0 of a pod.</summary>
    public static void Send(string pod, params byte[][] frames) => NetworkNamespace.Run(pod, () =>
    {
        using var route = new RouteSocket();
        using var socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)0);
        socket.Bind(new LinkEndPoint(route.Get("eth0").Index));
        foreach (var frame in frames)
        {
            socket.Send(frame);
        }
    });

    public static byte[] Ethernet(string to, string from, ushort type, byte[] payload) => [.. Mac(to), .. Mac(from), .. Number(type), .. payload];

    /// <summary>RFC 826: operation 1 asks, 2 answers.</summary>
    public static byte[] ArpPacket(ushort operation, string senderMac, string sender, string targetMac, string target) =>
        [0, 1, 8, 0, 6, 4, .. Number(operation), .. Mac(senderMac), .. Address(sender), .. Mac(targetMac), .. Address(target)];

    public static byte[] Udp4(string from, string to, int fromPort, int toPort, byte[] data)
    {
        byte[] datagram = [.. Number(fromPort), .. Number(toPort), .. Number(8 + data.Length), 0, 0, .. data];
        byte[] header = [0x45, 0, .. Number(20 + datagram.Length), 0, 1, 0, 0, 64, 17, 0, 0, .. Address(from), .. Address(to)];
        Number(Checksum(header)).CopyTo(header, 10);
        return [.. header, .. datagram];
    }

    /// <summary>RFC 4443; <paramref name="before"/> is an extension header that names ICMPv6 as the next, of the type <paramref name="first"/>.</summary>
    public static byte[] Icmp6(string from, string to, byte type, byte[] body, byte first = 58, byte[]? before = null)
    {
        byte[] message = [type, 0, 0, 0, .. body];
        Number(Checksum([.. Address(from), .. Address(to), 0, 0, .. Number(message.Length), 0, 0, 0, 58, .. message])).CopyTo(message, 2);
        return [0x60, 0, 0, 0, .. Number(message.Length + (before?.Length ?? 0)), first, 255, .. Address(from), .. Address(to), .. before ?? [], .. message];
    }

    /// <summary>The body of a neighbour advertisement that overrides what is known (RFC 4861, section 4.4).</summary>
    public static byte[] Advertised(string target, string mac) => [0x60, 0, 0, 0, .. Address(target), 2, 1, .. Mac(mac)];

    /// <summary>The body of a neighbour solicitation (RFC 4861, section 4.3).</summary>
    public static byte[] Solicited(string target, string mac) => [0, 0, 0, 0, .. Address(target), 1, 1, .. Mac(mac)];

    private static byte[] Mac(string text) => RouteRequests.ParseMac(text);

    private static byte[] Address(string text) => IPAddress.Parse(text).GetAddressBytes();

    private static byte[] Number(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    private static ushort Checksum(byte[] bytes)
    {
        byte[] even = bytes.Length % 2 == 0 ? bytes : [.. bytes, 0];
        var sum = 0u;
        for (var i = 0; i < even.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(even.AsSpan(i));
        }

        while (sum > ushort.MaxValue)
        {
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    /// <summary>struct sockaddr_ll of a link, for frames of any type.</summary>
    private sealed class LinkEndPoint(int link) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            BinaryPrimitives.WriteInt32LittleEndian(address.Buffer.Span[4..], link);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
}
