using System.Buffers.Binary;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Wire;

namespace Muster.Fuzz;

/// <summary>Any bytes as what a client of PCP's door sends: answered with sound units or with nothing.</summary>
public static class PcpWireTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        Convert.FromHexString("0000001c000070020000000000000000000000000000000000000000" + "00000024000070140000000000000000000000000000000000000002" + "0080001500800018"),
        Convert.FromHexString("0000002c0000700e000000000000000e00000000000000010000000d706d63642e686f73746e616d657e7e7e" + "0000001000007004000000000080" + "0015"),
        Convert.FromHexString("00000034000070010000000000000000000000000000000100801800000000010000000200000000" + "0000000b" + "06000008626f7800"),
        Convert.FromHexString("0000002000007006000000000080000600" + "00000000000000ffffffff00000000" + "000000140000701200000000ffffffff00000001" + "000000140000700800000000008000150000000600000017000070110000000000" + "00000f6e6f7375636800"),
        Convert.FromHexString("0000002400007010000000000000000000000004706d6364" + "000000180000700f0000000000000001" + "00000000" + "000000180000700d000000000000000000000001" + "00800015"),
        Convert.FromHexString("0000003c000070150000000000000001000000006b03168b0000000017e8041a008000150000000100000001ffffffff0000000d06000007766d007e"),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        _ = ReceivedResult.Read(data, highResolution: true);
        _ = ReceivedResult.Read(data, highResolution: false);
        var door = new DoorState([], TimeProvider.System, _ => { });
        using var session = new ClientSession(door, "local", MetricView.Host);
        using var writer = new PduWriter();
        session.Take(Convert.FromHexString("000000140000700c000000000000000101020000"), writer);
        while (data.Length >= PduLimits.Header)
        {
            var length = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(data), (uint)data.Length);
            if (length < PduLimits.Header)
            {
                break;
            }

            session.Take(data[..length], writer);
            Check(writer.Written.Span);
            writer.Reset();
            data = data[length..];
        }
    }

    private static void Check(ReadOnlySpan<byte> answers)
    {
        while (answers.Length > 0)
        {
            var length = answers.Length < PduLimits.Header ? 0 : BinaryPrimitives.ReadInt32BigEndian(answers);
            if (length < PduLimits.Header || length > answers.Length)
            {
                throw new InvalidOperationException($"An answer of {length} bytes of {answers.Length}");
            }

            var type = (PduType)BinaryPrimitives.ReadInt32BigEndian(answers[4..]);
            if (type is PduType.Result or PduType.HighResolutionResult && ReceivedResult.Read(answers[..length], type == PduType.HighResolutionResult) is null)
            {
                throw new InvalidOperationException("A result that nobody can read");
            }

            answers = answers[length..];
        }
    }
}
