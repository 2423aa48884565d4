using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux.Netlink;

/// <summary>
/// One or several netlink requests in one buffer, sent by one system call (RFC 3549, linux/netlink.h). Every request carries
/// a sentence for its refusal: what was attempted.
/// </summary>
public sealed class NetlinkBatch
{
    /// <summary>nlmsghdr: length, type, flags, sequence, port.</summary>
    internal const int HeaderSize = 16;

    /// <summary>Far above any batch of ours; the kernel's own limit is the socket's send buffer (212,992 by default).</summary>
    public const int MaxBytes = 160 * 1024;

    private readonly List<Entry> _entries = [];
    private byte[] _buffer = new byte[1024];
    private int _length;
    private int _start = -1;

    /// <summary>Request flags (linux/netlink.h).</summary>
    [Flags]
    public enum Flags : ushort
    {
        None = 0,
        Request = 1,
        Ack = 4,
        Replace = 0x100,
        Exclusive = 0x200,
        Create = 0x400,
        Dump = 0x300,
    }

    internal readonly record struct Entry(string What, bool Acknowledged);

    internal IReadOnlyList<Entry> Entries => _entries;

    internal ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>How many requests are in it.</summary>
    public int Count => _entries.Count;

    /// <summary>Starts a request; <paramref name="what"/> says what it attempts ("create link eth0").</summary>
    public NetlinkBatch Begin(ushort type, Flags flags, string what)
    {
        Finish();
        _start = _length;
        var header = Reserve(HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)(flags | Flags.Request));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)_entries.Count);
        _entries.Add(new Entry(what, flags.HasFlag(Flags.Ack)));
        return this;
    }

    /// <summary>Appends a fixed structure in host order, padded to four bytes.</summary>
    public NetlinkBatch Put<T>(in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(Reserve(Marshal.SizeOf<T>()), in value);
        return this;
    }

    /// <summary>Appends an attribute of raw bytes.</summary>
    public NetlinkBatch Put(ushort attribute, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Attribute(attribute, value.Length));
        return this;
    }

    /// <summary>Appends a 32-bit attribute in host order.</summary>
    public NetlinkBatch Put(ushort attribute, uint value)
    {
        MemoryMarshal.Write(Attribute(attribute, 4), in value);
        return this;
    }

    /// <summary>Appends an 8-bit attribute.</summary>
    public NetlinkBatch Put(ushort attribute, byte value)
    {
        Attribute(attribute, 1)[0] = value;
        return this;
    }

    /// <summary>Appends a string attribute with its final NUL.</summary>
    public NetlinkBatch Put(ushort attribute, string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        Encoding.UTF8.GetBytes(value, Attribute(attribute, bytes + 1));
        return this;
    }

    /// <summary>Appends a nested attribute whose content <paramref name="content"/> writes. The NLA_F_NESTED bit is set, as strict parsers want it.</summary>
    public NetlinkBatch Nest(ushort attribute, Action<NetlinkBatch> content)
    {
        var start = _length;
        Attribute((ushort)(attribute | 0x8000), 0);
        content(this);
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(start), checked((ushort)(_length - start)));
        return this;
    }

    /// <summary>Closes the last request and numbers all of them from <paramref name="first"/> up.</summary>
    internal void Seal(uint first)
    {
        Finish();
        for (int at = 0, i = 0; at < _length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(at + 8), first + (uint)i);
            at += Align(BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(at)));
        }
    }

    internal static int Align(int length) => (length + 3) & ~3;

    private void Finish()
    {
        if (_start >= 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_start), _length - _start);
            _start = -1;
        }
    }

    private Span<byte> Attribute(ushort attribute, int length)
    {
        var span = Reserve(4 + length);
        BinaryPrimitives.WriteUInt16LittleEndian(span, checked((ushort)(4 + length)));
        BinaryPrimitives.WriteUInt16LittleEndian(span[2..], attribute);
        return span[4..];
    }

    private Span<byte> Reserve(int length)
    {
        var padded = Align(length);
        if (_length + padded > MaxBytes)
        {
            throw new InvalidOperationException($"A netlink batch cannot be longer than {MaxBytes} bytes");
        }

        if (_length + padded > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + padded));
        }

        var span = _buffer.AsSpan(_length, length);
        _length += padded;
        return span;
    }
}
