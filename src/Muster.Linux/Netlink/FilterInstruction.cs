using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>
/// One instruction of the kernel's classic packet filter (linux/filter.h, struct sock_filter). A load puts a number of the frame, in
/// network order, into the one register; offsets count from the Ethernet header.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct FilterInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand)
{
    private const ushort LoadWordAt = 0x20;
    private const ushort LoadHalfAt = 0x28;
    private const ushort LoadByteAt = 0x30;
    private const ushort JumpAlways = 0x05;
    private const ushort JumpEqual = 0x15;
    private const ushort ReturnConstant = 0x06;

    /// <summary>Loads the four bytes at an offset.</summary>
    public static FilterInstruction LoadWord(uint offset) => new(LoadWordAt, 0, 0, offset);

    /// <summary>Loads the two bytes at an offset.</summary>
    public static FilterInstruction LoadHalf(uint offset) => new(LoadHalfAt, 0, 0, offset);

    /// <summary>Loads the byte at an offset.</summary>
    public static FilterInstruction LoadByte(uint offset) => new(LoadByteAt, 0, 0, offset);

    /// <summary>Skips instructions, at most 255, when the register has the value.</summary>
    public static FilterInstruction SkipIf(uint value, int count) => new(JumpEqual, checked((byte)count), 0, value);

    /// <summary>Skips instructions, at most 255, when the register has another value.</summary>
    public static FilterInstruction SkipUnless(uint value, int count) => new(JumpEqual, 0, checked((byte)count), value);

    /// <summary>Skips instructions.</summary>
    public static FilterInstruction Skip(int count) => new(JumpAlways, 0, 0, checked((uint)count));

    /// <summary>Ends the program.</summary>
    public static FilterInstruction Return(uint value) => new(ReturnConstant, 0, 0, value);
}
