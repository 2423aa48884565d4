using System.Net;
using System.Text;

namespace Muster.Images.Discovery;

/// <summary>A <c>&lt;meta name content&gt;</c> of a page.</summary>
public sealed record MetaTag(string Name, string Content);

/// <summary>
/// Finds the <c>meta</c> elements of an HTML page's head (HTML living standard §13.2, as far as attributes go). Only reads:
/// scripts, styles and comments are passed over, and nothing after the body begins counts, because that is where others may
/// write into a page.
/// </summary>
public static class MetaTags
{
    /// <summary>Pages are cut here: the head comes first.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxTags = 1000;

    private const int MaxAttributes = 64;

    /// <summary>Every meta element with a name and a content, in order.</summary>
    public static IReadOnlyList<MetaTag> Read(ReadOnlySpan<byte> page)
    {
        var found = new List<MetaTag>();
        var html = Encoding.UTF8.GetString(page[..Math.Min(page.Length, MaxBytes)]);
        var rest = html.AsSpan();
        while (found.Count < MaxTags)
        {
            var open = rest.IndexOf('<');
            if (open < 0)
            {
                break;
            }

            rest = rest[(open + 1)..];
            if (rest.StartsWith("!--"))
            {
                Skip(ref rest, "-->");
            }
            else if (Is(rest, "body") || Is(rest, "/head"))
            {
                break;
            }
            else if (Is(rest, "script") || Is(rest, "style") || Is(rest, "title") || Is(rest, "noscript") || Is(rest, "template"))
            {
                var end = rest.IndexOfAny(" \t\r\n\f/>");
                Skip(ref rest, "</" + rest[..end].ToString());
            }
            else if (Is(rest, "meta"))
            {
                rest = rest["meta".Length..];
                if (Attributes(ref rest) is { } tag)
                {
                    found.Add(tag);
                }
            }
        }

        return found;
    }

    private static bool Is(ReadOnlySpan<char> rest, string element) =>
        rest.Length > element.Length && rest.StartsWith(element, StringComparison.OrdinalIgnoreCase) && rest[element.Length] is ' ' or '\t' or '\r' or '\n' or '\f' or '/' or '>';

    private static void Skip(ref ReadOnlySpan<char> rest, string end)
    {
        var at = rest.IndexOf(end, StringComparison.OrdinalIgnoreCase);
        rest = at < 0 ? [] : rest[(at + end.Length)..];
    }

    private static MetaTag? Attributes(ref ReadOnlySpan<char> rest)
    {
        string? name = null;
        string? content = null;
        for (var count = 0; count < MaxAttributes; count++)
        {
            rest = rest.TrimStart(" \t\r\n\f/");
            if (rest.IsEmpty || rest[0] == '>')
            {
                break;
            }

            var end = rest[1..].IndexOfAny("= \t\r\n\f/>") + 1;
            if (end == 0)
            {
                break;
            }

            var attribute = rest[..end];
            rest = rest[end..].TrimStart(" \t\r\n\f");
            if (rest is not ['=', ..])
            {
                continue;
            }

            rest = rest[1..].TrimStart(" \t\r\n\f");
            var value = Value(ref rest);
            // The first of two attributes of one name counts, as in browsers.
            if (attribute.Equals("name", StringComparison.OrdinalIgnoreCase))
            {
                name ??= value;
            }
            else if (attribute.Equals("content", StringComparison.OrdinalIgnoreCase))
            {
                content ??= value;
            }
        }

        return name is not null && content is not null ? new MetaTag(name, content) : null;
    }

    private static string Value(ref ReadOnlySpan<char> rest)
    {
        ReadOnlySpan<char> value;
        if (rest is ['"' or '\'', ..])
        {
            var end = rest[1..].IndexOf(rest[0]);
            value = end < 0 ? rest[1..] : rest.Slice(1, end);
            rest = end < 0 ? [] : rest[(end + 2)..];
        }
        else
        {
            var end = rest.IndexOfAny(" \t\r\n\f>");
            value = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[end..];
        }

        return WebUtility.HtmlDecode(value.ToString());
    }
}
