namespace Muster.Metrics.Names;

/// <summary>
/// Dimension and scale in PCP's packed form (pmUnits), nibbles from the top: dimension in space, time, count (signed);
/// scale of space (powers of 1024 bytes), time (0 ns … 5 hours), count (power of ten, signed); eight bits unused.
/// </summary>
public readonly record struct MetricUnits(uint Value)
{
    public static readonly MetricUnits None = new(0);
    public static readonly MetricUnits Byte = Of(space: 1);
    public static readonly MetricUnits Kibibyte = Of(space: 1, spaceScale: 1);
    public static readonly MetricUnits Mebibyte = Of(space: 1, spaceScale: 2);
    public static readonly MetricUnits Nanosecond = Of(time: 1);
    public static readonly MetricUnits Microsecond = Of(time: 1, timeScale: 1);
    public static readonly MetricUnits Millisecond = Of(time: 1, timeScale: 2);
    public static readonly MetricUnits Second = Of(time: 1, timeScale: 3);
    public static readonly MetricUnits Count = Of(count: 1);

    public int Space => Nibble(28);

    public int Time => Nibble(24);

    public int CountDimension => Nibble(20);

    public int SpaceScale => (int)(Value >> 16) & 0xf;

    public int TimeScale => (int)(Value >> 12) & 0xf;

    public int CountScale => Nibble(8);

    public static MetricUnits Of(int space = 0, int time = 0, int count = 0, int spaceScale = 0, int timeScale = 0, int countScale = 0) =>
        new(((uint)(space & 0xf) << 28) | ((uint)(time & 0xf) << 24) | ((uint)(count & 0xf) << 20)
            | ((uint)(spaceScale & 0xf) << 16) | ((uint)(timeScale & 0xf) << 12) | ((uint)(countScale & 0xf) << 8));

    /// <summary>PCP's words (pmUnitsStr(3)): <c>Kbyte / sec</c>.</summary>
    public override string ToString()
    {
        string[] spaces = ["byte", "Kbyte", "Mbyte", "Gbyte", "Tbyte", "Pbyte", "Ebyte"];
        string[] times = ["nanosec", "microsec", "millisec", "sec", "min", "hour"];
        var space = SpaceScale < spaces.Length ? spaces[SpaceScale] : "space-" + SpaceScale;
        var time = TimeScale < times.Length ? times[TimeScale] : "time-" + TimeScale;
        var count = CountScale switch { 0 => "count", 1 => "count x 10", var n => $"count x 10^{n}" };
        var parts = new[] { (Space, space), (Time, time), (CountDimension, count) };
        var above = string.Join(' ', parts.Where(p => p.Item1 > 0).Select(p => Power(p.Item1, p.Item2)));
        var below = string.Join(' ', parts.Where(p => p.Item1 < 0).Select(p => Power(-p.Item1, p.Item2)));
        return (above, below) switch
        {
            ("", "") => "none",
            (_, "") => above,
            ("", _) => "/ " + below,
            _ => $"{above} / {below}",
        };
    }

    private static string Power(int exponent, string word) => exponent == 1 ? word : $"{word}^{exponent}";

    // Four bits, the topmost of them the sign.
    private int Nibble(int shift) => (int)(Value << (28 - shift)) >> 28;
}
