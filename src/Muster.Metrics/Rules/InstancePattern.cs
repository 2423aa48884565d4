using Muster.Core;
using Muster.Metrics.Derived;

namespace Muster.Metrics.Rules;

/// <summary>
/// What stands before the comma of <c>matchinst(/pattern/, x)</c>, written as in the language of derived metrics: an extended
/// regular expression between slashes, behind <c>!</c> for what does not match it; a backslash takes the next character as it is.
/// </summary>
internal static class InstancePattern
{
    public const string Word = "matchinst";

    public const string Form = "matchinst takes a pattern between slashes and what it chooses from, as in matchinst(/^web/, container.cpu.usage), or matchinst(!/^web/, …) for all others";

    /// <summary>Whether the word and a parenthesis stand at a place.</summary>
    public static bool IsCall(string text, int at) =>
        text.AsSpan(at).StartsWith(Word, StringComparison.Ordinal) && text.AsSpan(at + Word.Length).TrimStart().StartsWith("(");

    /// <summary>Reads a call from its word up to the end of its pattern; false when there is none.</summary>
    public static bool TryRead(string text, int at, out int end, out string pattern, out bool isNegated)
    {
        (end, pattern, isNegated) = (at, "", false);
        if (!IsCall(text, at))
        {
            return false;
        }

        var lexer = new DerivedLexer(text, text.IndexOf('(', at) + 1);
        try
        {
            var next = lexer.Next(isPattern: true);
            isNegated = next.Kind == DerivedTokenKind.Not;
            next = isNegated ? lexer.Next(isPattern: true) : next;
            (end, pattern) = (lexer.At, next.Text);
            return next.Kind == DerivedTokenKind.Pattern;
        }
        catch (MusterException)
        {
            // A pattern without an end, or what is no word at all.
            return false;
        }
    }
}

/// <summary><c>matchinst</c>: the numbers of instances whose names, up to the first space, match a pattern or do not.</summary>
internal sealed class MatchNode : ConditionNode
{
    // Names come and go: those remembered are begun anew at this number.
    private const int MaxRemembered = 10_000;

    private readonly ConditionNode _of;
    private readonly PosixPattern _pattern;
    private readonly bool _isNegated;
    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal);

    public MatchNode(ConditionNode of, PosixPattern pattern, bool isNegated)
    {
        (_of, _pattern, _isNegated) = (of, pattern, isNegated);
        (Instances, Units, Semantics) = (of.Instances, of.Units, of.Semantics);
        if (of.Instances == Names.InstanceDomainId.None)
        {
            throw new MusterException(ErrorKind.Invalid, $"There is nothing for {InstancePattern.Word} to choose from: {of.Metrics().FirstOrDefault() ?? "a number"} has no instances there");
        }
    }

    public override IEnumerable<string> Metrics() => _of.Metrics();

    public override Dictionary<int, double> Evaluate(RuleInput input) =>
        _of.Evaluate(input).Where(v => IsMatch(input.InstanceName(Instances, v.Key)) != _isNegated).ToDictionary();

    private bool IsMatch(string name)
    {
        if (_known.TryGetValue(name, out var isMatch))
        {
            return isMatch;
        }

        if (_known.Count >= MaxRemembered)
        {
            _known.Clear();
        }

        return _known[name] = _pattern.IsMatch(name.Split(' ', 2)[0]);
    }
}
