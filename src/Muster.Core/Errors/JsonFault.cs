using System.Text.Json;

namespace Muster.Core;

/// <summary>
/// A refusal of the JSON reader in words for people: where, and what is wrong. The reader's own message quotes the
/// document, control characters included, and names types of this program.
/// </summary>
public static class JsonFault
{
    /// <summary>What <see cref="StrictJson"/> refuses that the reader itself does not.</summary>
    internal const string NotUnicode = "it holds text that is not Unicode";

    /// <summary>A path through a document that is longer tells nobody where to look.</summary>
    private const int MaxPath = 200;

    /// <summary>A clause such as <c>line 3, byte 14 (apps[0].name): the value has the wrong type</c>; lines and bytes are counted from 1.</summary>
    public static string Of(JsonException fault)
    {
        var place = fault.LineNumber is { } line && fault.BytePositionInLine is { } at ? $"line {line + 1}, byte {at + 1}" : "";
        var member = Member(fault.Path);
        var where = (place.Length, member.Length) switch
        {
            (0, 0) => "",
            (0, _) => $"{member}: ",
            (_, 0) => $"{place}: ",
            _ => $"{place} ({member}): ",
        };
        return where + (IsSyntax(fault) ? Syntax(fault.Message) : Meaning(fault.Message));
    }

    // The reader's own exception type is not public; what the serializer finds itself has no path of syntax inside.
    private static bool IsSyntax(JsonException fault) => fault.GetType() != typeof(JsonException) || fault.InnerException is JsonException;

    private static string Syntax(string message) => message switch
    {
        _ when message.Contains("does not contain any JSON tokens", StringComparison.Ordinal) => "it is empty",
        _ when message.Contains("end of data", StringComparison.Ordinal) || message.Contains("depth to be zero", StringComparison.Ordinal) => "it ends in the middle",
        _ when message.Contains("configured depth", StringComparison.Ordinal) => "it is nested too deep",
        _ when message.Contains("uplicate", StringComparison.Ordinal) => "a member stands there twice",
        _ when message.Contains("UTF-8", StringComparison.Ordinal) || message.Contains("transcode", StringComparison.Ordinal) => "it is not UTF-8 text",
        _ => "what stands there is not JSON",
    };

    private static string Meaning(string message)
    {
        const string missing = "required properties including: ";
        var at = message.IndexOf(missing, StringComparison.Ordinal);
        return message switch
        {
            // These names are the format's own, not the document's.
            _ when at >= 0 => "it lacks " + message[(at + missing.Length)..].Split(". ")[0].TrimEnd('.').Replace('\'', '"'),
            NotUnicode => NotUnicode,
            _ when message.Contains("could not be mapped", StringComparison.Ordinal) => "there is no member of that name",
            _ when message.Contains("uplicate", StringComparison.Ordinal) => "a member stands there twice",
            _ => "the value has the wrong type or is out of range",
        };
    }

    private static string Member(string? path)
    {
        if (path is null or "" or "$")
        {
            return "";
        }

        var shown = path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path[1..];
        shown = string.Concat(shown.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return shown.Length <= MaxPath ? shown : shown[..MaxPath] + "…";
    }
}
