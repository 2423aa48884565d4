using System.Globalization;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>Values as people write them.</summary>
public static class ValueText
{
    /// <summary>Reads a value of a type; false when it is none, or when the type cannot be written.</summary>
    public static bool TryParse(MetricType type, string text, out MetricValue value)
    {
        var culture = CultureInfo.InvariantCulture;
        value = default;
        switch (type)
        {
            case MetricType.Int32 when int.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var number):
                value = MetricValue.From((long)number);
                return true;
            case MetricType.UInt32 when uint.TryParse(text, NumberStyles.None, culture, out var number):
                value = MetricValue.From((ulong)number);
                return true;
            case MetricType.Int64 when long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var number):
                value = MetricValue.From(number);
                return true;
            case MetricType.UInt64 when ulong.TryParse(text, NumberStyles.None, culture, out var number):
                value = MetricValue.From(number);
                return true;
            case MetricType.Float or MetricType.Double when double.TryParse(text, NumberStyles.Float, culture, out var number):
                value = MetricValue.From(number);
                return true;
            case MetricType.String:
                value = MetricValue.From(text);
                return true;
            default:
                return false;
        }
    }
}
