using System.Globalization;
using Muster.Metrics.Names;

namespace Muster.Metrics.Derived;

/// <summary>Arithmetic on values of PCP's types, which wraps and rounds as theirs does.</summary>
internal static class DerivedNumber
{
    /// <summary>The type of a result of two operands, but for a quotient's (always double) and a comparison's (always U32).</summary>
    public static MetricType Promote(MetricType left, MetricType right)
    {
        var (low, high) = left < right ? (left, right) : (right, left);
        return high is MetricType.Double or MetricType.Float or MetricType.UInt64 or MetricType.Int64 ? high : low == MetricType.Int32 ? high : MetricType.UInt32;
    }

    public static long ToInt64(MetricValue value, MetricType type) => type switch
    {
        MetricType.Int32 => (int)value.Signed,
        MetricType.UInt32 => (uint)value.Unsigned,
        MetricType.Float or MetricType.Double => (long)value.Real,
        _ => value.Signed,
    };

    public static double ToDouble(MetricValue value, MetricType type) => type switch
    {
        MetricType.Int32 => (int)value.Signed,
        MetricType.UInt32 => (uint)value.Unsigned,
        MetricType.Int64 => value.Signed,
        MetricType.UInt64 => value.Unsigned,
        _ => value.Real,
    };

    public static bool IsZero(MetricValue value, MetricType type) => type is MetricType.Float or MetricType.Double ? value.Real == 0 : ToInt64(value, type) == 0;

    /// <summary>A whole number as one of another type, with the bits that there is room for.</summary>
    public static MetricValue Of(long number, MetricType type) => type switch
    {
        MetricType.Int32 => MetricValue.From((long)(int)number),
        MetricType.UInt32 => MetricValue.From((ulong)(uint)number),
        MetricType.Float => MetricValue.From((double)(float)number),
        MetricType.Double => MetricValue.From((double)number),
        _ => MetricValue.From(number),
    };

    /// <summary>A real number as one of another type; a whole one is rounded.</summary>
    public static MetricValue Of(double number, MetricType type) => type switch
    {
        MetricType.Double => MetricValue.From(number),
        MetricType.Float => MetricValue.From((double)(float)number),
        MetricType.UInt64 => MetricValue.From((ulong)Math.Round(number, MidpointRounding.AwayFromZero)),
        _ => Of((long)Math.Round(number, MidpointRounding.AwayFromZero), type),
    };

    /// <summary>A number as it is written in an expression.</summary>
    public static MetricValue Parse(string text, MetricType type)
    {
        var digits = text.TrimStart('.').Length == 0 ? "0" : text;
        var number = double.Parse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        return type is MetricType.Float or MetricType.Double ? Of(number, type) : Of((long)number, type);
    }

    /// <summary>A sum, difference, product or quotient in the type of the result, which is at least as wide as the operands'.</summary>
    public static MetricValue Compute(DerivedTokenKind sign, MetricType type, MetricValue left, MetricType leftType, MetricValue right, MetricType rightType)
    {
        switch (type)
        {
            case MetricType.Double:
                return MetricValue.From(Compute(sign, ToDouble(left, leftType), ToDouble(right, rightType)));
            case MetricType.Float:
                var (x, y) = ((float)ToDouble(left, leftType), (float)ToDouble(right, rightType));
                return MetricValue.From((double)(sign == DerivedTokenKind.Plus ? x + y : sign == DerivedTokenKind.Minus ? x - y : x * y));
            default:
                // Two's complement: sums and products have the same bits with and without a sign.
                var (a, b) = (ToInt64(left, leftType), ToInt64(right, rightType));
                return Of(unchecked(sign == DerivedTokenKind.Plus ? a + b : sign == DerivedTokenKind.Minus ? a - b : a * b), type);
        }
    }

    /// <summary>0 through anything is 0; anything else through 0 is infinite.</summary>
    public static double Compute(DerivedTokenKind sign, double a, double b) => sign switch
    {
        DerivedTokenKind.Plus => a + b,
        DerivedTokenKind.Minus => a - b,
        DerivedTokenKind.Star => a * b,
        _ => a == 0 ? 0 : a / b,
    };

    /// <summary>Less than 0, 0 or more, as the left operand is to the right one in the type that holds both; null where one is not a number.</summary>
    public static int? Compare(MetricValue left, MetricType leftType, MetricValue right, MetricType rightType)
    {
        switch (Promote(leftType, rightType))
        {
            case MetricType.Double:
                return Compare(ToDouble(left, leftType), ToDouble(right, rightType));
            case MetricType.Float:
                return Compare((float)ToDouble(left, leftType), (float)ToDouble(right, rightType));
            case MetricType.UInt64:
                return ((ulong)ToInt64(left, leftType)).CompareTo((ulong)ToInt64(right, rightType));
            case MetricType.UInt32:
                return ((uint)ToInt64(left, leftType)).CompareTo((uint)ToInt64(right, rightType));
            default:
                return ToInt64(left, leftType).CompareTo(ToInt64(right, rightType));
        }
    }

    public static int? Compare(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);
}
