using System.Globalization;
using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Metrics.Collecting;

namespace Muster.Cli.Commands.Metrics;

internal static class MetricReadCommands
{
    private static readonly Option Raw = new("raw", "Counters as they count, not as what they change by each second");

    public static readonly Command Get = new()
    {
        Words = ["metric", "get"],
        Summary = "Print the values of metrics once",
        Usage = "[OPTION…] NAME…",
        Description = "NAME is a metric or the beginning of names. Counters are printed as they count; muster metric watch shows what they change by. A derived metric with rate() or delta() needs two readings and has a value in watch only.",
        Example = "muster metric get kernel.all.load\nmuster metric get --container=web mem.util.used\nmuster metric get container.memory --instance=web --format=json\nmuster metric get --derive 'my.share = 100 * container.memory.usage / container.memory.limit' my.share",
        Options = [MetricAccess.Container, MetricAccess.Instance, DerivedOptions.Derive, DerivedOptions.Files],
        Arguments = (1, int.MaxValue),
        Run = (call, _) =>
        {
            using var access = new MetricAccess(call, call.Arguments);
            using var reader = new MetricReader(access.Catalog, call.Arguments, access.View, call.Time);
            var values = reader.Read().Values.Where(v => MetricAccess.Wanted(call, v)).ToList();
            if (call.Json)
            {
                Listing.WriteJson(call, json =>
                {
                    json.WriteStartArray();
                    values.ForEach(v => MetricAccess.WriteJson(json, v));
                    json.WriteEndArray();
                });
            }
            else
            {
                Print(call, values);
            }

            if (values.Count == 0)
            {
                throw new MusterException(ErrorKind.NotFound, $"There is no value now{(call.Has("instance") ? $" of instance {string.Join(", ", call.Values("instance"))}" : "")}: muster metric info shows the instances");
            }

            if (values.Exists(v => v.Error == PcpError.NoContainer))
            {
                throw new MusterException(ErrorKind.NotFound, $"There is no container called \"{call.Value("container")}\": muster metric get container.state shows them all");
            }

            return Task.FromResult(values.TrueForAll(v => v.Error != 0) ? Dispatcher.FailureStatus : 0);
        },
    };

    public static readonly Command Watch = new()
    {
        Words = ["metric", "watch"],
        Summary = "Print the values of metrics again and again, counters as rates",
        Usage = "[OPTION…] NAME…",
        Description = "One line for each value and reading. A counter of time is shown as its share of time: 1 is one whole CPU. With --format=json each reading is one line of JSON.",
        Example = "muster metric watch -t 2s -s 5 kernel.all.cpu.user disk.all.total\nmuster metric watch --container=web network.interface.in.bytes\nmuster metric watch --derive 'my.size = delta(disk.dev.total_bytes) / delta(disk.dev.total)' my.size",
        Options = [MetricAccess.Container, MetricAccess.Instance, MetricAccess.Interval, MetricAccess.Samples, Raw, DerivedOptions.Derive, DerivedOptions.Files],
        Arguments = (1, int.MaxValue),
        Run = WatchAsync,
    };

    private static async Task<int> WatchAsync(Invocation call, CancellationToken ct)
    {
        using var access = new MetricAccess(call, call.Arguments);
        using var reader = new MetricReader(access.Catalog, call.Arguments, access.View, call.Time);
        var interval = MetricAccess.IntervalOf(call);
        var left = call.Number("samples", long.MaxValue, 1, long.MaxValue);
        var rates = new MetricRates();
        var raw = call.Has("raw");
        if (!raw)
        {
            // The first rates need a reading before them.
            _ = rates.Next(reader.Read());
        }

        using var timer = new PeriodicTimer(interval, call.Time);
        try
        {
            while (left-- > 0 && (raw || await timer.WaitForNextTickAsync(ct)))
            {
                var reading = reader.Read();
                var numbers = raw ? null : rates.Next(reading);
                Show(call, reading, numbers);
                call.Terminal.Flush();
                if (raw && left > 0 && !await timer.WaitForNextTickAsync(ct))
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Interrupted: what was shown stays.
        }

        return 0;
    }

    private static void Show(Invocation call, MetricReading reading, IReadOnlyList<double?>? numbers)
    {
        var time = reading.Time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        if (call.Json)
        {
            call.Terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(JsonText.Bytes(reading, (json, r) => WriteLine(call, json, r, numbers))));
            return;
        }

        for (var i = 0; i < reading.Values.Count; i++)
        {
            var value = reading.Values[i];
            if (!MetricAccess.Wanted(call, value))
            {
                continue;
            }

            var name = value.Instance is { } instance ? $"{value.Name}[{instance.Name}]" : value.Name;
            var (text, units) = numbers is null || value.Error != 0 || numbers[i] is null
                ? (MetricAccess.Text(value), value.Metric.Units.ToString())
                : (MetricAccess.Number(numbers[i]!.Value), MetricRates.RateUnits(value.Metric));
            call.Terminal.Out.WriteLine($"{time}  {name,-48} {text} {(units == "none" ? "" : units)}".TrimEnd());
        }
    }

    private static void WriteLine(Invocation call, Utf8JsonWriter json, MetricReading reading, IReadOnlyList<double?>? numbers)
    {
        json.WriteStartObject();
        json.WriteString("time"u8, reading.Time);
        json.WriteStartArray("values"u8);
        for (var i = 0; i < reading.Values.Count; i++)
        {
            var value = reading.Values[i];
            if (!MetricAccess.Wanted(call, value))
            {
                continue;
            }

            if (numbers is null || value.Error != 0 || numbers[i] is null)
            {
                MetricAccess.WriteJson(json, value);
                continue;
            }

            json.WriteStartObject();
            json.WriteString("metric"u8, value.Name);
            if (value.Instance is { } instance)
            {
                json.WriteString("instance"u8, instance.Name);
            }

            if (double.IsFinite(numbers[i]!.Value))
            {
                json.WriteNumber("value"u8, numbers[i]!.Value);
            }
            else
            {
                // A quotient of nothing: JSON has no number for it.
                json.WriteString("value"u8, MetricAccess.Text(value));
            }

            json.WriteString("units"u8, MetricRates.RateUnits(value.Metric));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Print(Invocation call, List<ReadValue> values)
    {
        var width = values.Count == 0 ? 0 : Math.Min(60, values.Max(v => v.Name.Length + (v.Instance?.Name.Length + 2 ?? 0)));
        foreach (var value in values)
        {
            var name = value.Instance is { } instance ? $"{value.Name}[{instance.Name}]" : value.Name;
            var units = value.Metric.Units.ToString();
            call.Terminal.Out.WriteLine($"{name.PadRight(width)}  {MetricAccess.Text(value)}{(units == "none" || value.Error != 0 ? "" : " " + units)}");
        }
    }
}
