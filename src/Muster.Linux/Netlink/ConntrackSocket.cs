using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>
/// ctnetlink: forgetting connections (linux/netfilter/nfnetlink_conntrack.h). Translation is decided by a connection's first
/// packet; a UDP sender that never pauses would keep the decision that was right before a port was published or taken back.
/// </summary>
public sealed class ConntrackSocket : IDisposable
{
    private const byte AF_INET = 2;
    private const byte AF_INET6 = 10;
    private const byte IPPROTO_UDP = 17;
    private const ushort Get = (1 << 8) | 1;
    private const ushort Delete = (1 << 8) | 2;
    private const ushort CTA_TUPLE_ORIG = 1;
    private const ushort CTA_TUPLE_PROTO = 2;
    private const ushort CTA_PROTO_NUM = 1;
    private const ushort CTA_PROTO_DST_PORT = 3;
    private const ushort Nested = 0x8000;

    private readonly NetlinkSocket _socket = new(NetlinkSocket.Netfilter);

    /// <summary>Forgets every UDP connection that was opened to one of these ports; the next packet is judged anew. Gives their number.</summary>
    public int ForgetUdp(IReadOnlySet<int> ports)
    {
        var forgotten = 0;
        foreach (var family in (ReadOnlySpan<byte>)[AF_INET, AF_INET6])
        {
            var header = new GenericMessage { Family = family };
            var tuples = new List<byte[]>();
            _socket.Dump(
                () => new NetlinkBatch().Begin(Get, NetlinkBatch.Flags.Dump, "conntrack: list connections").Put(header),
                (_, payload) =>
                {
                    if (ReadUdpDestination(payload, out var tuple) is { } port && ports.Contains(port))
                    {
                        tuples.Add(tuple.ToArray());
                    }
                },
                tuples.Clear);
            foreach (var tuple in tuples)
            {
                // It may have ended meanwhile.
                _socket.Execute(new NetlinkBatch().Begin(Delete, NetlinkBatch.Flags.Ack, "conntrack: forget a connection").Put(header).Put(CTA_TUPLE_ORIG | Nested, tuple), null, Errno.ENOENT);
            }

            forgotten += tuples.Count;
        }

        return forgotten;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>The destination port of a UDP connection's first packet and the tuple that names it; null for other protocols.</summary>
    internal static int? ReadUdpDestination(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> tuple)
    {
        tuple = payload.Length > 4 ? NetlinkAttributes.Find(payload[4..], CTA_TUPLE_ORIG) : default;
        var protocol = NetlinkAttributes.Find(tuple, CTA_TUPLE_PROTO);
        var number = NetlinkAttributes.Find(protocol, CTA_PROTO_NUM);
        var port = NetlinkAttributes.Find(protocol, CTA_PROTO_DST_PORT);
        return number.Length == 1 && number[0] == IPPROTO_UDP && port.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(port) : null;
    }

    /// <summary>struct nfgenmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GenericMessage
    {
        public byte Family;
        public byte Version;
        public ushort Resource;
    }
}
