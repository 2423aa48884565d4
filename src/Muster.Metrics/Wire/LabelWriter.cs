using System.Text;
using Muster.Metrics.Collecting;

namespace Muster.Metrics.Wire;

/// <summary>The labels of one instance, or of the thing itself (instance -1).</summary>
public readonly record struct LabelSet(int Instance, IReadOnlyList<KeyValuePair<string, string>> Labels);

/// <summary>
/// LABEL: <c>u32 ident, u32 type, u32 0, u32 sets; sets × (i32 instance, i32 labels, u32 offset of the text from the start of
/// the unit, u32 its length, labels × index)</c>, then the texts, each JSON without spaces, sorted by name. An index is
/// <c>u16 offset, u8 length, u8 flags of the name; u16 offset, u16 length of the value with its quotes</c>.
/// </summary>
public static class LabelWriter
{
    /// <summary>libpcp's bounds of one set.</summary>
    public const int MaxLabels = 255;

    public const int MaxText = 65_535;

    private const byte Optional = 0x80;

    // Marked as no part of what makes two sources different, as pmcd does it.
    private static readonly string[] Credentials = ["userid", "groupid"];

    // Written as numbers, as pmcd's agents do it; other labels are texts even where they look like numbers.
    private static readonly string[] Numbers = [.. Credentials, "pid", "cpu", "numa_node"];

    /// <summary>Whether a label's value is a number in JSON.</summary>
    public static bool IsNumber(string name, string value) =>
        Numbers.Contains(name) && value.Length is > 0 and <= 19 && !value.AsSpan().ContainsAnyExceptInRange('0', '9') && (value[0] != '0' || value.Length == 1);

    public static void Write(PduWriter to, uint ident, uint type, IReadOnlyList<LabelSet> sets, int from = 0)
    {
        var texts = new byte[sets.Count][];
        to.Begin(PduType.Label, from);
        to.UInt32(ident);
        to.UInt32(type);
        to.UInt32(0);
        to.Int32(sets.Count);
        var rendered = new RenderedLabels[sets.Count];
        var offset = to.UnitLength;
        for (var i = 0; i < sets.Count; i++)
        {
            rendered[i] = RenderedLabels.Of(sets[i].Labels);
            texts[i] = rendered[i].Json;
            offset += 16 + (8 * rendered[i].Index.Count);
        }

        for (var i = 0; i < sets.Count; i++)
        {
            to.Int32(sets[i].Instance);
            to.Int32(rendered[i].Index.Count);
            to.Int32(offset);
            to.Int32(texts[i].Length);
            foreach (var (nameAt, nameLength, valueAt, valueLength, isOptional) in rendered[i].Index)
            {
                to.UInt16(nameAt);
                to.Byte((byte)nameLength);
                to.Byte((byte)(isOptional ? type | Optional : type));
                to.UInt16(valueAt);
                to.UInt16(valueLength);
            }

            offset += texts[i].Length;
        }

        foreach (var text in texts)
        {
            to.Bytes(text);
        }

        to.End();
    }

    private sealed record RenderedLabels(byte[] Json, IReadOnlyList<(int NameAt, int NameLength, int ValueAt, int ValueLength, bool IsOptional)> Index)
    {
        private static readonly RenderedLabels None = new([], []);

        public static RenderedLabels Of(IReadOnlyList<KeyValuePair<string, string>> labels)
        {
            if (labels.Count == 0)
            {
                return None;
            }

            var json = new MemoryStream(256);
            var index = new List<(int, int, int, int, bool)>();
            json.WriteByte((byte)'{');
            foreach (var (name, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
            {
                var key = Encoding.UTF8.GetBytes(name);
                var isCredential = Credentials.Contains(name);
                var text = IsNumber(name, value) ? Encoding.UTF8.GetBytes(value) : JsonText(value);

                // What does not fit is left out whole: a cut label would be a wrong one.
                if (key.Length is 0 or > 255 || index.Count == MaxLabels || json.Length + key.Length + text.Length + 5 > MaxText)
                {
                    continue;
                }

                json.Write(index.Count > 0 ? ",\""u8 : "\""u8);
                var nameAt = (int)json.Length;
                json.Write(key);
                json.Write("\":"u8);
                index.Add((nameAt, key.Length, (int)json.Length, text.Length, isCredential));
                json.Write(text);
            }

            json.WriteByte((byte)'}');
            return index.Count == 0 ? None : new RenderedLabels(json.ToArray(), index);
        }

        private static byte[] JsonText(string value)
        {
            var text = new StringBuilder("\"", value.Length + 2);
            foreach (var c in value)
            {
                _ = c switch
                {
                    '"' or '\\' => text.Append('\\').Append(c),
                    < ' ' => text.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture)),
                    _ => text.Append(c),
                };
            }

            return Encoding.UTF8.GetBytes(text.Append('"').ToString());
        }
    }
}
