using System.Globalization;
using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Cli.Commands.Metrics;

/// <summary>A verb's own agents, closed when it ends: no daemon is needed to measure.</summary>
internal sealed class MetricAccess : IDisposable
{
    public static readonly Option Container = new("container", "See with the eyes of a container: its CPU, memory, network, processes", "NAME");
    public static readonly Option Instance = new("instance", "Only the instances of this name", "NAME") { Short = 'i', Repeatable = true };
    public static readonly Option Interval = new("interval", "The time between two readings", "TIME") { Short = 't', Default = "1s" };
    public static readonly Option Samples = new("samples", "End after so many readings", "N") { Short = 's', Default = "until interrupted" };

    private readonly IReadOnlyList<IMetricAgent> _agents;

    /// <param name="call">The call.</param>
    /// <param name="names">All that is going to be asked for; null for anything.</param>
    public MetricAccess(Invocation call, IReadOnlyList<string>? names = null)
    {
        var derived = DerivedOptions.Of(call);
        var pods = new PodContainers(call.Root, call.Time);

        // A derived metric needs others; a name that is not found is told by all there are.
        _agents = MetricAgents.For(call.Root, call.Time, pods, derived.Count == 0 ? names : null);
        Catalog = new MetricCatalog(_agents);
        if (derived.Count == 0 && names is not null && names.Any(n => Catalog.Current.Node(n) is null))
        {
            Close();
            _agents = MetricAgents.For(call.Root, call.Time, new PodContainers(call.Root, call.Time));
            Catalog = new MetricCatalog(_agents);
        }

        Catalog = Catalog.With(derived);
        DerivedOptions.Check(derived, Catalog.Current);
        View = MetricView.Host with
        {
            Container = call.Value("container"),
            // Who asks sees what the kernel lets them see.
            UserId = ProcessControl.EffectiveUser,
        };
    }

    public MetricCatalog Catalog { get; }

    public MetricView View { get; }

    public void Dispose() => Close();

    private void Close()
    {
        foreach (var agent in _agents.OfType<IDisposable>())
        {
            agent.Dispose();
        }
    }

    /// <summary>The time between readings; a tenth of a second at least, for reading everything takes a while, too.</summary>
    public static TimeSpan IntervalOf(Invocation call)
    {
        var interval = call.Duration("interval", TimeSpan.FromSeconds(1));
        return interval >= TimeSpan.FromMilliseconds(100) && interval <= TimeSpan.FromDays(1)
            ? interval
            : throw new MusterException(ErrorKind.Usage, $"--interval={call.Value("interval")} is not between 100ms and 1d");
    }

    /// <summary>Whether the value is of one of the instances asked for; as in PCP, the first word of a name stands for it (PCPIntro(1)).</summary>
    public static bool Wanted(Invocation call, ReadValue value) =>
        call.Values("instance") is not { Count: > 0 } wanted
        || (value.Instance is { } instance && wanted.Any(w => instance.Name == w || (instance.Name.StartsWith(w, StringComparison.Ordinal) && instance.Name[w.Length] == ' ')));

    /// <summary>A raw value as text.</summary>
    public static string Text(ReadValue value) => value.Error != 0 ? Why(value.Error) : value.Metric.Type switch
    {
        MetricType.Int32 or MetricType.Int64 => value.Value.Signed.ToString(CultureInfo.InvariantCulture),
        MetricType.UInt32 => ((uint)value.Value.Unsigned).ToString(CultureInfo.InvariantCulture),
        MetricType.UInt64 => value.Value.Unsigned.ToString(CultureInfo.InvariantCulture),
        MetricType.Float => ((float)value.Value.Real).ToString(CultureInfo.InvariantCulture),
        MetricType.Double => value.Value.Real.ToString(CultureInfo.InvariantCulture),
        MetricType.String => value.Value.Text,
        MetricType.Event or MetricType.HighResolutionEvent => Quantity.Counted(value.Value.Events.Count, "event"),
        _ => Convert.ToHexStringLower(value.Value.Bytes),
    };

    /// <summary>A number with six significant digits, as far as it has them.</summary>
    public static string Number(double number) => number == Math.Floor(number) && Math.Abs(number) < 1e15
        ? number.ToString("0", CultureInfo.InvariantCulture)
        : number.ToString(Math.Abs(number) >= 1000 ? "0.0" : "0.####", CultureInfo.InvariantCulture);

    /// <summary>Writes a raw value as JSON's number or string.</summary>
    public static void WriteJson(Utf8JsonWriter json, ReadValue value)
    {
        json.WriteStartObject();
        json.WriteString("metric"u8, value.Name);
        if (value.Instance is { } instance)
        {
            json.WriteString("instance"u8, instance.Name);
        }

        if (value.Error != 0)
        {
            json.WriteString("error"u8, Why(value.Error));
        }
        else if (value.Metric.Type is MetricType.UInt32 or MetricType.UInt64)
        {
            json.WriteNumber("value"u8, value.Metric.Type == MetricType.UInt32 ? (uint)value.Value.Unsigned : value.Value.Unsigned);
        }
        else if (value.Metric.Type is MetricType.Int32 or MetricType.Int64)
        {
            json.WriteNumber("value"u8, value.Value.Signed);
        }
        else if (value.Metric.Type is MetricType.Float or MetricType.Double && double.IsFinite(value.Value.Real))
        {
            json.WriteNumber("value"u8, value.Value.Real);
        }
        else
        {
            json.WriteString("value"u8, Text(value));
        }

        json.WriteString("units"u8, value.Metric.Units.ToString());
        json.WriteEndObject();
    }

    private static string Why(int error) => error switch
    {
        PcpError.NoContainer => "there is no such container",
        PcpError.Permission => "permission denied",
        PcpError.Value => "no value now",
        > -12345 => new System.ComponentModel.Win32Exception(-error).Message,
        _ => $"no value (PCP's error {error})",
    };
}
