using System.Buffers.Text;
using System.Text;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>Names of instances made of a group and a device, such as <c>/a::cpu0</c> and <c>/a::vda</c>.</summary>
internal static class DeviceNames
{
    /// <summary>The longest path of a group and the longest name of a device.</summary>
    public const int MaxName = 4096 + 256;

    /// <summary>Writes <c>group::wordNUMBER</c>; without a number when it is negative. What does not fit is cut.</summary>
    public static int Compose(Span<byte> name, string group, ReadOnlySpan<byte> word, int number = -1)
    {
        // Room for the rest whatever the group is called.
        const int rest = 256;
        Encoding.UTF8.GetEncoder().Convert(group, name[..^rest], flush: true, out _, out var length, out _);
        name[length++] = (byte)':';
        name[length++] = (byte)':';
        word = word[..Math.Min(word.Length, rest - 16)];
        word.CopyTo(name[length..]);
        length += word.Length;
        if (number >= 0)
        {
            Utf8Formatter.TryFormat(number, name[length..], out var digits);
            length += digits;
        }

        return length;
    }

    /// <summary>Group and block device of a name as it was composed, as PCP labels them; none for what was not.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Labels(string? name) =>
        name is not null && name.LastIndexOf("::", StringComparison.Ordinal) is >= 0 and var at ? [new("cgroup", name[..at]), new("device_name", name[(at + 2)..])] : [];
}
