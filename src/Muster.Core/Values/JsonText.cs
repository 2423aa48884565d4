using System.Buffers;
using System.Text.Json;

namespace Muster.Core;

/// <summary>JSON written by a generated writer alone.</summary>
public static class JsonText
{
    /// <summary>The UTF-8 text that <paramref name="write"/> writes for <paramref name="value"/>.</summary>
    public static byte[] Bytes<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json, value);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
