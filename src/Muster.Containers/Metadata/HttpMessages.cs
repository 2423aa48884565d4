using System.Globalization;
using System.Text;

namespace Muster.Containers.Metadata;

/// <summary>A request of HTTP/1.1 (RFC 9112), as little of it as the metadata service needs.</summary>
public sealed record HttpRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool KeepAlive)
{
    /// <summary>The longest head: request line and headers of a well-meant client are a few hundred bytes.</summary>
    public const int MaxHeadBytes = 8 * 1024;

    /// <summary>The longest body: pod and image manifests, and what is signed.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    /// <summary>The most header lines.</summary>
    public const int MaxHeaders = 64;

    /// <summary>
    /// Reads a request off the front of <paramref name="data"/>. Gives the number of bytes it took, 0 when more are needed,
    /// or the status to answer before closing when it cannot be one.
    /// </summary>
    public static (HttpRequest? Request, int Taken, int Refusal) Parse(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return (null, 0, data.Length > MaxHeadBytes ? 431 : 0);
        }

        if (end > MaxHeadBytes || data[..end].ContainsAnyExceptInRange((byte)' ', (byte)'~') && HasOddBytes(data[..end]))
        {
            return (null, 0, end > MaxHeadBytes ? 431 : 400);
        }

        var lines = Encoding.ASCII.GetString(data[..end]).Split("\r\n");
        var words = lines[0].Split(' ');
        if (words.Length != 3 || words[0].Length == 0 || !words[0].All(char.IsAsciiLetterUpper) || !words[1].StartsWith('/') || words[2] is not ("HTTP/1.1" or "HTTP/1.0"))
        {
            return (null, 0, 400);
        }

        if (ReadHeaders(lines) is not { } headers)
        {
            return (null, 0, 400);
        }

        if (headers.ContainsKey("transfer-encoding"))
        {
            return (null, 0, 501);
        }

        var length = 0;
        if (headers.TryGetValue("content-length", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > MaxBodyBytes))
        {
            return (null, 0, length > MaxBodyBytes || text.Length > 7 && text.All(char.IsAsciiDigit) ? 413 : 400);
        }

        var total = end + 4 + length;
        if (data.Length < total)
        {
            return (null, 0, 0);
        }

        headers.TryGetValue("connection", out var connection);
        var keep = words[2] == "HTTP/1.1" && connection?.Equals("close", StringComparison.OrdinalIgnoreCase) != true;
        return (new HttpRequest(words[0], words[1], headers, data.Slice(end + 4, length).ToArray(), keep), total, 0);
    }

    /// <summary>The fields of an <c>application/x-www-form-urlencoded</c> body; values are bytes, as what is signed may be binary. Null when it is none.</summary>
    public static Dictionary<string, byte[]>? ParseForm(ReadOnlySpan<byte> body)
    {
        const int maxFields = 16;
        var fields = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var range in body.Split((byte)'&'))
        {
            var field = body[range];
            if (field.IsEmpty)
            {
                continue;
            }

            var equals = field.IndexOf((byte)'=');
            if (fields.Count == maxFields
                || Decode(equals < 0 ? field : field[..equals]) is not { } name
                || Decode(equals < 0 ? default : field[(equals + 1)..]) is not { } value
                || !fields.TryAdd(Encoding.UTF8.GetString(name), value))
            {
                return null;
            }
        }

        return fields;
    }

    // CR and LF are there as line ends only, a tab may stand in a header's value; nothing else below a space or above ~.
    private static bool HasOddBytes(ReadOnlySpan<byte> head)
    {
        for (var i = 0; i < head.Length; i++)
        {
            var b = head[i];
            var lineEnd = (b == '\r' && i + 1 < head.Length && head[i + 1] == '\n') || (b == '\n' && i > 0 && head[i - 1] == '\r');
            if (b is < 0x20 or > 0x7e && !lineEnd && b != '\t')
            {
                return true;
            }
        }

        return false;
    }

    private static Dictionary<string, string>? ReadHeaders(string[] lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (lines.Length - 1 > MaxHeaders)
        {
            return null;
        }

        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || line.AsSpan(0, colon).ContainsAny(' ', '\t'))
            {
                return null;
            }

            // Twice the same header is how lengths are smuggled; no client of ours needs it.
            if (!headers.TryAdd(line[..colon], line[(colon + 1)..].Trim()))
            {
                return null;
            }
        }

        return headers;
    }

    private static byte[]? Decode(ReadOnlySpan<byte> text)
    {
        var result = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                result[length++] = text[i] == '+' ? (byte)' ' : text[i];
                continue;
            }

            if (i + 2 >= text.Length || !byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                return null;
            }

            result[length++] = value;
            i += 2;
        }

        return result[..length];
    }
}

/// <summary>An answer: status, content type and body.</summary>
public sealed record HttpAnswer(int Status, string? ContentType, byte[] Body)
{
    /// <summary>Exactly as clients compare it.</summary>
    public const string Text = "text/plain; charset=us-ascii";

    /// <summary>Exactly as clients compare it.</summary>
    public const string Json = "application/json";

    /// <summary>An answer of plain text.</summary>
    public static HttpAnswer Of(int status, string text) => new(status, Text, Encoding.ASCII.GetBytes(text));

    /// <summary>The answer as bytes of HTTP/1.1.</summary>
    public byte[] ToBytes(bool keepAlive)
    {
        var head = $"HTTP/1.1 {Status} {Reason}\r\n{(ContentType is null ? "" : $"Content-Type: {ContentType}\r\n")}Content-Length: {Body.Length}\r\nCache-Control: no-store\r\n{(keepAlive ? "" : "Connection: close\r\n")}\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. Body];
    }

    private string Reason => Status switch
    {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Error",
    };
}
