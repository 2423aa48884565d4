using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>
/// What a metric's values are in, outside of PCP: base units, as OpenMetrics and OpenTelemetry want them. Amounts of bytes
/// and of time are converted; anything composed stays as it is and has no unit.
/// </summary>
/// <param name="Name">OpenMetrics' word and the suffix of the name: <c>bytes</c>, <c>seconds</c>, or empty.</param>
/// <param name="Code">UCUM's code, for OTLP: <c>By</c>, <c>s</c>, <c>{count}</c>, or empty. Never <c>1</c>, from which receivers make ratios: <c>kernel_all_load_ratio</c>.</param>
/// <param name="Factor">What a value is multiplied with; 1 keeps integers as they are.</param>
internal readonly record struct ExportedUnit(string Name, string Code, double Factor)
{
    // Nanoseconds, microseconds, milliseconds, seconds, minutes, hours (pmapi.h, PM_TIME_*).
    private static readonly double[] Times = [1e-9, 1e-6, 1e-3, 1, 60, 3600];

    public static ExportedUnit Of(MetricUnits units) => (units.Space, units.Time, units.CountDimension) switch
    {
        (1, 0, 0) => new ExportedUnit("bytes", "By", Math.Pow(1024, units.SpaceScale)),
        (0, 1, 0) when units.TimeScale < Times.Length => new ExportedUnit("seconds", "s", Times[units.TimeScale]),
        (0, 0, 1) => new ExportedUnit("", "{count}", Math.Pow(10, units.CountScale)),
        _ => new ExportedUnit("", "", 1),
    };
}
