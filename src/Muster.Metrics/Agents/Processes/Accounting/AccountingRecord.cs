using System.Buffers.Binary;
using System.Text;

namespace Muster.Metrics.Agents.Processes.Accounting;

/// <summary>What the kernel wrote of a process that ended (acct(5), <c>struct acct_v3</c>).</summary>
/// <param name="Flags">1 forked and never executed, 2 used root's rights, 8 dumped core, 16 ended by a signal.</param>
/// <param name="Terminal">Number of the controlling terminal, 0 for none.</param>
/// <param name="ExitStatus">As wait(2) has it.</param>
/// <param name="UserId">Real user.</param>
/// <param name="GroupId">Real group.</param>
/// <param name="ProcessId">Which process.</param>
/// <param name="ParentId">Its parent.</param>
/// <param name="Began">Seconds after 1970.</param>
/// <param name="ElapsedTicks">How long it was there.</param>
/// <param name="Counts">user and system time in ticks, average memory in KiB, characters transferred, blocks, small and large page faults, swaps.</param>
/// <param name="Command">Name of the program, 15 characters at most.</param>
internal sealed record AccountingRecord(byte Flags, ushort Terminal, uint ExitStatus, uint UserId, uint GroupId, uint ProcessId, uint ParentId, uint Began, float ElapsedTicks, IReadOnlyList<long> Counts, string Command)
{
    /// <summary>Bytes of each.</summary>
    public const int Length = 64;

    /// <summary>Ticks of a second: AHZ, whatever the kernel's own clock.</summary>
    public const double TicksPerSecond = 100;

    private const int CountsAt = 32;
    private const int CountOfCounts = 8;
    private const int CommandAt = 48;

    /// <summary>When the process ended, in seconds after 1970.</summary>
    public double Ended => Began + (ElapsedTicks / TicksPerSecond);

    /// <summary>Reads a record; null for one of another version of the kernel's or of another byte order.</summary>
    public static AccountingRecord? Read(ReadOnlySpan<byte> record)
    {
        if (record.Length != Length || record[1] != 3)
        {
            return null;
        }

        var counts = new long[CountOfCounts];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = Expand(BinaryPrimitives.ReadUInt16LittleEndian(record[(CountsAt + (i * 2))..]));
        }

        var command = record[CommandAt..];
        var end = command.IndexOf((byte)0);
        return new AccountingRecord(
            record[0],
            BinaryPrimitives.ReadUInt16LittleEndian(record[2..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[24..]),
            BinaryPrimitives.ReadSingleLittleEndian(record[28..]) is var elapsed && float.IsFinite(elapsed) && elapsed >= 0 ? elapsed : 0,
            counts,
            Encoding.UTF8.GetString(end < 0 ? command : command[..end]));
    }

    /// <summary><c>comp_t</c>: three bits of an exponent of eight, thirteen of a number.</summary>
    internal static long Expand(ushort number) => (long)(number & 0x1fff) << ((number >> 13) * 3);
}
