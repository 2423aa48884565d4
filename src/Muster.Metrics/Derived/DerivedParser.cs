using Muster.Core;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>
/// Reads expressions of derived metrics (pmRegisterDerived(3)) with the precedence that libpcp's grammar has, all of them
/// from the left: <c>? :</c>, then <c>&amp;&amp; ||</c> (equal), <c>!</c>, comparisons (equal), <c>+ -</c> (also before an
/// operand), <c>* /</c>. Of PCP 7 it takes <c>novalue</c>, <c>indom=</c>, <c>meta=</c>, and expressions as operands of functions.
/// </summary>
internal sealed class DerivedParser
{
    /// <summary>A line that a person writes.</summary>
    public const int MaxLength = 4096;

    // Parentheses, functions and signs inside one another: deeper is no expression but an attack on the stack.
    private const int MaxDepth = 100;

    // Levels of precedence.
    private const int Choice = 1;
    private const int Junction = 2;
    private const int Negation = 3;
    private const int Relation = 4;
    private const int Sum = 5;
    private const int Product = 6;

    private readonly DerivedLexer _lexer;
    private DerivedToken _next;
    private int _depth;

    private DerivedParser(string text)
    {
        _lexer = new DerivedLexer(text);
        _next = _lexer.Next();
    }

    /// <summary>The whole of <paramref name="text"/>; what is no expression is refused with the place where it stands.</summary>
    public static DerivedSyntax Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new MusterException(ErrorKind.Invalid, $"The expression has {text.Length} characters, more than {MaxLength}");
        }

        var parser = new DerivedParser(text);
        var root = parser.Expression(Choice);
        return parser._next.Kind == DerivedTokenKind.End ? root : throw parser.Unexpected("an operator is expected");
    }

    private static int Level(DerivedTokenKind kind) => kind switch
    {
        DerivedTokenKind.Question => Choice,
        DerivedTokenKind.And or DerivedTokenKind.Or => Junction,
        DerivedTokenKind.Less or DerivedTokenKind.LessOrEqual or DerivedTokenKind.Equal or DerivedTokenKind.GreaterOrEqual or DerivedTokenKind.Greater or DerivedTokenKind.NotEqual => Relation,
        DerivedTokenKind.Plus or DerivedTokenKind.Minus => Sum,
        DerivedTokenKind.Star or DerivedTokenKind.Slash => Product,
        _ => 0,
    };

    private DerivedSyntax Expression(int lowest)
    {
        if (++_depth > MaxDepth)
        {
            throw Unexpected($"the expression is nested deeper than {MaxDepth}");
        }

        var left = Operand();
        while (Level(_next.Kind) is var level && level >= lowest)
        {
            var sign = Take();
            left = level == Choice ? Chosen(sign, left) : new BinarySyntax(sign.At, sign.Kind, sign.Text, left, Expression(level + 1));
        }

        _depth--;
        return left;
    }

    // What stands between ? and : is bounded by them; after the : another ? belongs to the whole.
    private ChoiceSyntax Chosen(DerivedToken sign, DerivedSyntax guard)
    {
        var yes = IsNoValue ? NoValue() : Expression(Choice);
        Expect(DerivedTokenKind.Colon, "a : with what holds otherwise is expected");
        var no = IsNoValue ? NoValue() : Expression(Choice + 1);
        return yes is NoValueSyntax && no is NoValueSyntax
            ? throw Refused(sign.At, "novalue() may stand on one side of the : only")
            : new ChoiceSyntax(sign.At, guard, yes, no);
    }

    private DerivedSyntax Operand()
    {
        var token = Take();
        switch (token.Kind)
        {
            case DerivedTokenKind.Minus:
                return new UnarySyntax(token.At, token.Kind, Expression(Sum + 1));
            case DerivedTokenKind.Not:
                return new UnarySyntax(token.At, token.Kind, Expression(Negation + 1));
            case DerivedTokenKind.Open:
                var inside = Expression(Choice);
                Expect(DerivedTokenKind.Close, "a closing parenthesis is expected");
                return Selected(inside);
            case DerivedTokenKind.Integer or DerivedTokenKind.Double:
                return new ConstantSyntax(token.At, token.Text, token.Kind == DerivedTokenKind.Double, Meta: null);
            case DerivedTokenKind.Name when _next.Kind == DerivedTokenKind.Open:
                throw Refused(token.At, DerivedFunction.IsKnown(token.Text)
                    ? $"{token.Text} and its parenthesis must stand together: {token.Text}("
                    : $"there is no function {token.Text}: there are {DerivedFunction.List}");
            case DerivedTokenKind.Name when token.Text is "type" or "semantics" or "units" or "indom" or "meta":
                throw Refused(token.At, $"{token.Text} is a word of mkconst() and cannot be a metric");
            case DerivedTokenKind.Name:
                return Selected(new NameSyntax(token.At, token.Text));
            case DerivedTokenKind.Function:
                return Call(token);
            default:
                throw Refused(token.At, "a metric, a number, a function or a parenthesis is expected");
        }
    }

    private DerivedSyntax Selected(DerivedSyntax of) => _next.Kind == DerivedTokenKind.Instance ? new InstanceSyntax(_next.At, of, Take().Text) : of;

    private DerivedSyntax Call(DerivedToken word)
    {
        if (word.Text == DerivedFunction.NoValue)
        {
            throw Refused(word.At, "novalue() is no value to compute with: it stands alone after a ? or a :");
        }

        if (word.Text == DerivedFunction.MatchInstances)
        {
            return Match(word);
        }

        Expect(DerivedTokenKind.Open, "a parenthesis is expected");
        DerivedSyntax call = word.Text switch
        {
            DerivedFunction.MakeConstant => Constant(word),
            DerivedFunction.Rescale => Rescale(word),
            DerivedFunction.Defined => new DefinedSyntax(word.At, Name().Name),
            DerivedFunction.Anon => Anonymous(word),
            _ => new CallSyntax(word.At, word.Text, Expression(Choice)),
        };
        Expect(DerivedTokenKind.Close, "a closing parenthesis is expected");
        return call;
    }

    private MatchSyntax Match(DerivedToken word)
    {
        // The parenthesis has been looked at; what follows it is read as a pattern.
        if (_next.Kind != DerivedTokenKind.Open)
        {
            throw Unexpected("a parenthesis is expected");
        }

        _next = _lexer.Next(isPattern: true);
        var isNegated = _next.Kind == DerivedTokenKind.Not;
        _next = isNegated ? _lexer.Next(isPattern: true) : _next;
        if (_next.Kind != DerivedTokenKind.Pattern)
        {
            throw Unexpected("a pattern between slashes is expected, such as /^eth/ or !/^lo$/");
        }

        var text = Take();
        if (!PosixPattern.TryParse(text.Text, out var pattern, out var why))
        {
            throw Refused(text.At, $"/{text.Text}/ is no regular expression: {why}");
        }

        Expect(DerivedTokenKind.Comma, "a comma is expected after the pattern");
        var of = Expression(Choice);
        Expect(DerivedTokenKind.Close, "a closing parenthesis is expected");
        return new MatchSyntax(word.At, of, pattern, isNegated);
    }

    private ConstantSyntax Constant(DerivedToken word)
    {
        var number = Take();
        if (number.Kind is not (DerivedTokenKind.Integer or DerivedTokenKind.Double))
        {
            throw Refused(number.At, "mkconst() begins with a number");
        }

        Expect(DerivedTokenKind.Comma, "a comma and type=, semantics= or units= are expected");
        var meta = Meta();
        var isReal = number.Kind == DerivedTokenKind.Double;
        return isReal && meta.Type is { } type && type is not (MetricType.Double or MetricType.Float)
            ? throw Refused(number.At, $"{number.Text} is a real number, and the type is one of whole numbers")
            : new ConstantSyntax(word.At, number.Text, isReal, meta);
    }

    private RescaleSyntax Rescale(DerivedToken word)
    {
        var of = Expression(Choice);
        Expect(DerivedTokenKind.Comma, "a comma and units are expected");
        var units = Take();
        return units.Kind == DerivedTokenKind.Text ? new RescaleSyntax(word.At, of, Units(units)) : throw Refused(units.At, "units are expected, in quotes: \"Mbyte/hour\"");
    }

    private AnonymousSyntax Anonymous(DerivedToken word)
    {
        var name = Name();
        const string Prefix = "PM_TYPE_";
        return name.Name.StartsWith(Prefix, StringComparison.Ordinal) && TypeOf(name.Name[Prefix.Length..], StringComparison.Ordinal) is { } type
            ? new AnonymousSyntax(word.At, type)
            : throw Refused(name.At, $"{name.Name} is no type for anon(): there are PM_TYPE_32, U32, 64, U64, FLOAT and DOUBLE");
    }

    private bool IsNoValue => _next is { Kind: DerivedTokenKind.Function, Text: DerivedFunction.NoValue };

    private NoValueSyntax NoValue()
    {
        var word = Take();
        Expect(DerivedTokenKind.Open, "a parenthesis is expected");
        var meta = _next.Kind == DerivedTokenKind.Close ? null : Meta();
        Expect(DerivedTokenKind.Close, "a closing parenthesis is expected");
        return new NoValueSyntax(word.At, meta);
    }

    private MetaSyntax Meta()
    {
        var meta = new MetaSyntax(null, null, null, null, null);
        do
        {
            var tag = Take();
            if (tag.Kind != DerivedTokenKind.Name || tag.Text is not ("type" or "semantics" or "units" or "indom" or "meta"))
            {
                throw Refused(tag.At, "type=, semantics=, units=, indom= or meta= is expected");
            }

            Expect(DerivedTokenKind.Assign, $"a = is expected after {tag.Text}");
            if (tag.Text == "meta")
            {
                meta = meta with { Like = Name() };
                continue;
            }

            var value = Take();
            if (value.Kind is not (DerivedTokenKind.Text or DerivedTokenKind.Name or DerivedTokenKind.Integer or DerivedTokenKind.Double))
            {
                throw Refused(value.At, $"a value of {tag.Text} is expected");
            }

            meta = tag.Text switch
            {
                "type" => meta with { Type = TypeOf(value.Text, StringComparison.OrdinalIgnoreCase) ?? throw Refused(value.At, $"{value.Text} is no type: there are 32, U32, 64, U64, FLOAT and DOUBLE") },
                "semantics" => meta with { Semantics = SemanticsOf(value.Text) ?? throw Refused(value.At, $"{value.Text} is no semantics: there are counter, instant and discrete") },
                "units" => meta with { Units = Units(value) },
                _ => meta with { Instances = DomainOf(value.Text) ?? throw Refused(value.At, $"{value.Text} is no instance domain: write DOMAIN.SERIAL or NULL") },
            };
        }
        while (TryTake(DerivedTokenKind.Comma));

        return meta;
    }

    private static MetricType? TypeOf(string text, StringComparison comparison) => text switch
    {
        "32" => MetricType.Int32,
        "64" => MetricType.Int64,
        _ when text.Equals("U32", comparison) => MetricType.UInt32,
        _ when text.Equals("U64", comparison) => MetricType.UInt64,
        _ when text.Equals("FLOAT", comparison) => MetricType.Float,
        _ when text.Equals("DOUBLE", comparison) => MetricType.Double,
        _ => null,
    };

    private static MetricSemantics? SemanticsOf(string text) => text.ToLowerInvariant() switch
    {
        "counter" => MetricSemantics.Counter,
        "instant" => MetricSemantics.Instant,
        "discrete" => MetricSemantics.Discrete,
        _ => null,
    };

    private static InstanceDomainId? DomainOf(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return text.Equals("NULL", StringComparison.OrdinalIgnoreCase) ? InstanceDomainId.None
            : dot > 0 && int.TryParse(text.AsSpan(0, dot), System.Globalization.NumberStyles.None, null, out var domain) && int.TryParse(text.AsSpan(dot + 1), System.Globalization.NumberStyles.None, null, out var serial) && domain < 511 && serial < 1 << 22
                ? InstanceDomainId.Of(domain, serial)
                : null;
    }

    private MetricUnits Units(DerivedToken token) => UnitsText.TryParse(token.Text, out var units, out var why) ? units : throw Refused(token.At, $"\"{token.Text}\" are no units: {why}");

    private NameSyntax Name()
    {
        var token = Take();
        return token.Kind == DerivedTokenKind.Name ? new NameSyntax(token.At, token.Text) : throw Refused(token.At, "the name of a metric is expected");
    }

    private DerivedToken Take()
    {
        var token = _next;

        // After matchinst( a slash begins a pattern: that function reads on by itself.
        _next = token is { Kind: DerivedTokenKind.End } ? token : _lexer.Next();
        return token;
    }

    private bool TryTake(DerivedTokenKind kind)
    {
        var found = _next.Kind == kind;
        if (found)
        {
            Take();
        }

        return found;
    }

    private void Expect(DerivedTokenKind kind, string otherwise)
    {
        if (!TryTake(kind))
        {
            throw Unexpected(otherwise);
        }
    }

    private MusterException Unexpected(string why) => Refused(_next.At, why);

    private MusterException Refused(int at, string why) => _lexer.Refused(at, why);
}
