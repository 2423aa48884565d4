using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>Units of results, and what values are multiplied with to be in them (pmRegisterDerived(3), "Semantic checks and rules").</summary>
internal static class DerivedUnits
{
    // From one scale of time to the next larger one.
    private static readonly int[] TimeSteps = [1000, 1000, 1000, 60, 60];

    public static bool HaveSameDimension(MetricUnits a, MetricUnits b) => (a.Space, a.Time, a.CountDimension) == (b.Space, b.Time, b.CountDimension);

    public static bool IsDimensionless(MetricUnits units) => HaveSameDimension(units, MetricUnits.None);

    /// <summary>The same dimension, or one is a count and the other has none, which pmConvScale(3) takes for the same.</summary>
    public static bool AreComparable(MetricUnits a, MetricUnits b) =>
        HaveSameDimension(a, b) || (a.Space == 0 && b.Space == 0 && a.Time == 0 && b.Time == 0 && (a.CountDimension, b.CountDimension) is (0, 1) or (1, 0));

    /// <summary>
    /// What both operands of an operator are multiplied with: of each dimension that both have, the larger scale is taken.
    /// 1 and 1 where nothing is to be scaled.
    /// </summary>
    public static (double Left, double Right) Scales(MetricUnits left, MetricUnits right)
    {
        var (a, b) = (1.0, 1.0);
        Apply(left.Space, right.Space, left.SpaceScale, right.SpaceScale, static (from, to) => Math.Pow(1024, to - from));
        Apply(left.Time, right.Time, left.TimeScale, right.TimeScale, TimeFactor);
        Apply(left.CountDimension, right.CountDimension, left.CountScale, right.CountScale, static (from, to) => Math.Pow(10, to - from));
        return (a, b);

        void Apply(int leftPower, int rightPower, int leftScale, int rightScale, Func<int, int, double> factor)
        {
            if (leftPower == 0 || rightPower == 0 || leftScale == rightScale)
            {
                return;
            }

            // Once for the dimension, whatever its exponent: so libpcp has it.
            if (leftScale > rightScale)
            {
                b *= rightPower > 0 ? 1 / factor(rightScale, leftScale) : factor(rightScale, leftScale);
            }
            else
            {
                a *= leftPower > 0 ? 1 / factor(leftScale, rightScale) : factor(leftScale, rightScale);
            }
        }
    }

    /// <summary>The units of a sum, product or quotient; null when an exponent is beyond what PCP can express.</summary>
    public static MetricUnits? Of(DerivedTokenKind sign, MetricUnits left, MetricUnits right, MetricUnits candidate)
    {
        var by = sign switch
        {
            DerivedTokenKind.Star => 1,
            DerivedTokenKind.Slash => -1,
            _ => 0,
        };
        var (space, time, count) = by == 0
            ? (candidate.Space, candidate.Time, candidate.CountDimension)
            : (left.Space + (by * right.Space), left.Time + (by * right.Time), left.CountDimension + (by * right.CountDimension));
        return space is < -8 or > 7 || time is < -8 or > 7 || count is < -8 or > 7
            ? null
            : MetricUnits.Of(
                space,
                time,
                count,
                Scale(space, left.Space, right.Space, left.SpaceScale, right.SpaceScale, candidate.SpaceScale),
                Scale(time, left.Time, right.Time, left.TimeScale, right.TimeScale, candidate.TimeScale),
                Scale(count, left.CountDimension, right.CountDimension, left.CountScale, right.CountScale, candidate.CountScale));
    }

    /// <summary>How a value in some units becomes one in others: multiplied and divided by whole numbers; null when the dimensions differ.</summary>
    public static (Int128 Multiplier, Int128 Divisor)? Conversion(MetricUnits from, MetricUnits to)
    {
        // Without a dimension is a count.
        var (fromCount, toCount) = (IsDimensionless(from) ? 1 : from.CountDimension, IsDimensionless(to) ? 1 : to.CountDimension);
        if (from.Space != to.Space || from.Time != to.Time || fromCount != toCount)
        {
            return null;
        }

        var (multiplier, divisor) = ((Int128)1, (Int128)1);
        Apply(from.Space, from.SpaceScale - to.SpaceScale, 1024);
        for (var scale = Math.Min(from.TimeScale, to.TimeScale); scale < Math.Max(from.TimeScale, to.TimeScale); scale++)
        {
            Apply(from.Time, from.TimeScale > to.TimeScale ? 1 : -1, scale < TimeSteps.Length ? TimeSteps[scale] : 1);
        }

        Apply(fromCount, from.CountScale - to.CountScale, 10);
        return (multiplier, divisor);

        void Apply(int power, int steps, int step)
        {
            // Exponents up to 8 and scales that are 15 apart are beyond any value: what no number can hold becomes its bound.
            for (var i = 0; i < Math.Min(Math.Abs(power * steps), 12); i++)
            {
                if (power * steps > 0)
                {
                    multiplier = multiplier > Int128.MaxValue / step / step ? multiplier : multiplier * step;
                }
                else
                {
                    divisor = divisor > Int128.MaxValue / step / step ? divisor : divisor * step;
                }
            }
        }
    }

    /// <summary>Seconds in one unit of time.</summary>
    public static double Seconds(int scale) => scale switch
    {
        0 => 1e-9,
        1 => 1e-6,
        2 => 1e-3,
        3 => 1,
        4 => 60,
        _ => 3600,
    };

    private static int Scale(int power, int leftPower, int rightPower, int left, int right, int candidate) =>
        power == 0 ? 0 : leftPower == 0 ? right : rightPower == 0 ? left : leftPower != 0 && rightPower != 0 ? Math.Max(left, right) : candidate;

    private static double TimeFactor(int from, int to)
    {
        var factor = 1.0;
        for (var scale = from; scale < to && scale < TimeSteps.Length; scale++)
        {
            factor *= TimeSteps[scale];
        }

        return factor;
    }
}
