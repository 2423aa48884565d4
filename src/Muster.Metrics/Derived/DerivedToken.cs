namespace Muster.Metrics.Derived;

/// <summary>The kinds of words that an expression is made of.</summary>
internal enum DerivedTokenKind
{
    End,
    Integer,
    Double,
    Name,

    /// <summary>A function's name with its parenthesis right behind it, as PCP has it: <c>sum (x)</c> is no call.</summary>
    Function,
    Text,
    Instance,
    Pattern,
    Open,
    Close,
    Comma,
    Assign,
    Plus,
    Minus,
    Star,
    Slash,
    Question,
    Colon,
    Not,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    NotEqual,
    And,
    Or,
}

/// <summary>One word of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; of texts, instances and patterns what stands between the delimiters.</param>
/// <param name="At">Where it begins, from 0.</param>
internal readonly record struct DerivedToken(DerivedTokenKind Kind, string Text, int At);
