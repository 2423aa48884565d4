using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Muster.Metrics.Agents.Text;

/// <summary>Numbers by name, looked up with the bytes of a text: where each name's value goes. Fixed once made.</summary>
internal sealed class NameTable
{
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public NameTable(IEnumerable<string> names)
    {
        var table = new Dictionary<byte[], int>(ByteNames.Comparer);
        var index = 0;
        foreach (var name in names)
        {
            table.TryAdd(Encoding.UTF8.GetBytes(name), index++);
        }

        _lookup = table.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>The place of the name in the list that the table was made from, or -1.</summary>
    public int Find(ReadOnlySpan<byte> name) => _lookup.TryGetValue(name, out var index) ? index : -1;
}

/// <summary>Compares names kept as bytes with names in a text.</summary>
internal sealed class ByteNames : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly ByteNames Comparer = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        // FNV-1a: names are a few bytes, and an attacker who chooses them gains one slow bucket of his own container's.
        var hash = 2166136261u;
        foreach (var b in alternate)
        {
            hash = (hash ^ b) * 16777619;
        }

        return (int)hash;
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
