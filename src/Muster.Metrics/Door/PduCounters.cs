using Muster.Metrics.Wire;

namespace Muster.Metrics.Door;

/// <summary>How many units of each type came in and went out (<c>pmcd.pdu_in</c>, <c>pmcd.pdu_out</c>).</summary>
public sealed class PduCounters
{
    private const int First = (int)PduType.Error;
    private const int Types = (int)PduType.Descriptors - First + 1;

    private readonly uint[] _in = new uint[Types];
    private readonly uint[] _out = new uint[Types];

    public void CountIn(PduType type) => Count(_in, type);

    public void CountOut(PduType type) => Count(_out, type);

    public uint In(PduType type) => Volatile.Read(ref _in[(int)type - First]);

    public uint Out(PduType type) => Volatile.Read(ref _out[(int)type - First]);

    public uint TotalIn => Total(_in);

    public uint TotalOut => Total(_out);

    private static uint Total(uint[] counters) => unchecked((uint)counters.Sum(c => (long)c));

    private static void Count(uint[] counters, PduType type)
    {
        if ((uint)((int)type - First) < Types)
        {
            Interlocked.Increment(ref counters[(int)type - First]);
        }
    }
}
