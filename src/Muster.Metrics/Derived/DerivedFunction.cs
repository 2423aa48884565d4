namespace Muster.Metrics.Derived;

/// <summary>The names of the language's functions.</summary>
internal static class DerivedFunction
{
    public const string Avg = "avg";
    public const string Count = "count";
    public const string Delta = "delta";
    public const string Max = "max";
    public const string Min = "min";
    public const string Sum = "sum";
    public const string Anon = "anon";
    public const string Rate = "rate";
    public const string Instant = "instant";
    public const string MakeConstant = "mkconst";
    public const string Rescale = "rescale";
    public const string Defined = "defined";
    public const string MatchInstances = "matchinst";
    public const string Scalar = "scalar";
    public const string NoValue = "novalue";

    private static readonly string[] All = [Avg, Count, Delta, Max, Min, Sum, Anon, Rate, Instant, MakeConstant, Rescale, Defined, MatchInstances, Scalar, NoValue];

    /// <summary>All of them, for a sentence.</summary>
    public static string List => string.Join(", ", All);

    public static bool IsKnown(string word) => Array.IndexOf(All, word) >= 0;
}
