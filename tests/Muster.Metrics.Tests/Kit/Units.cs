using System.Buffers.Binary;
using System.Net.Sockets;
using Muster.Metrics.Door;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests;

/// <summary>Units as a test writes and reads them.</summary>
internal static class Units
{
    public static readonly byte[] PlainCredentials = Make(PduType.Credentials, "00000001 01020000");

    public static byte[] Make(PduType type, string hex) => Make((int)type, hex);

    public static byte[] Make(int type, string hex)
    {
        var body = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var unit = new byte[12 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(unit, unit.Length);
        BinaryPrimitives.WriteInt32BigEndian(unit.AsSpan(4), type);
        body.CopyTo(unit, 12);
        return unit;
    }

    public static PduType TypeOf(ReadOnlySpan<byte> unit) => (PduType)BinaryPrimitives.ReadInt32BigEndian(unit[4..]);

    /// <summary>The code of an ERROR unit.</summary>
    public static int Error(ReadOnlySpan<byte> unit)
    {
        TypeOf(unit).Should().Be(PduType.Error);
        return BinaryPrimitives.ReadInt32BigEndian(unit[12..]);
    }

    /// <summary>Cuts bytes into units.</summary>
    public static IReadOnlyList<byte[]> Split(ReadOnlySpan<byte> bytes)
    {
        var units = new List<byte[]>();
        while (bytes.Length >= 4)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
            units.Add(bytes[..length].ToArray());
            bytes = bytes[length..];
        }

        bytes.Length.Should().Be(0);
        return units;
    }

    /// <summary>Takes one unit in a session and gives the units of the answer.</summary>
    public static IReadOnlyList<byte[]> Ask(this ClientSession session, byte[] unit)
    {
        using var writer = new PduWriter();
        session.Take(unit, writer);
        return Split(writer.Written.Span);
    }

    /// <summary>Reads one whole unit; null when the peer has hung up.</summary>
    public static byte[]? Receive(this Socket socket)
    {
        var head = Exactly(socket, 4);
        if (head is null)
        {
            return null;
        }

        var rest = Exactly(socket, BinaryPrimitives.ReadInt32BigEndian(head) - 4);
        return rest is null ? null : [.. head, .. rest];
    }

    private static byte[]? Exactly(Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var have = 0; have < count;)
        {
            int read;
            try
            {
                read = socket.Receive(buffer, have, count - have, SocketFlags.None);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }

            if (read == 0)
            {
                return null;
            }

            have += read;
        }

        return buffer;
    }
}
