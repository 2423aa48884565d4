using System.Globalization;
using Muster.Metrics.Collecting;

namespace Muster.Cli.Commands.Metrics;

/// <summary>One container of <c>metric top</c>. Rates are by the second, shares from 0 to 1 (of one CPU, of the limit, of the time).</summary>
internal sealed record TopRow
{
    public required string Name { get; init; }

    /// <summary>pod, app, docker, podman or lxc.</summary>
    public string Kind { get; init; } = "";

    public string State { get; init; } = "";

    public double? Cpu { get; init; }

    /// <summary>CPUs that it may use; null for no limit.</summary>
    public double? CpuLimit { get; init; }

    /// <summary>Of the periods of its CPU limit, those in which it was held back.</summary>
    public double? Throttled { get; init; }

    public double? Memory { get; init; }

    public double? MemoryLimit { get; init; }

    public double? ReadBytes { get; init; }

    public double? WriteBytes { get; init; }

    public double? NetworkIn { get; init; }

    public double? NetworkOut { get; init; }

    public double? Processes { get; init; }

    public double? CpuPressure { get; init; }

    public double? MemoryPressure { get; init; }

    public double? IoPressure { get; init; }

    public double? Restarts { get; init; }

    public double? OutOfMemoryKills { get; init; }

    /// <summary>The metrics that a row is made of.</summary>
    public static IReadOnlyList<string> Metrics { get; } =
    [
        "container.kind", "container.state", "container.cpu.usage", "container.cpu.limit", "container.cpu.periods", "container.cpu.throttled",
        "container.memory.working_set", "container.memory.limit", "container.io.read_bytes", "container.io.write_bytes",
        "container.network.all.in.bytes", "container.network.all.out.bytes", "container.pids.current", "container.restarts", "container.memory.oom_kills",
        "container.pressure.cpu.some.time", "container.pressure.memory.some.time", "container.pressure.io.some.time",
    ];

    /// <summary>The rows of a reading, in the order of the containers' numbers.</summary>
    public static IReadOnlyList<TopRow> Of(MetricReading reading, IReadOnlyList<double?> numbers)
    {
        var found = new SortedDictionary<int, (string Name, Dictionary<string, (double? Number, ReadValue Value)> Values)>();
        for (var i = 0; i < reading.Values.Count; i++)
        {
            if (reading.Values[i] is { Instance: { } instance } value)
            {
                if (!found.TryGetValue(instance.Id, out var row))
                {
                    found.Add(instance.Id, row = (instance.Name, new(StringComparer.Ordinal)));
                }

                row.Values[value.Name["container.".Length..]] = (numbers[i], value);
            }
        }

        return [.. found.Values.Select(c => Of(c.Name, c.Values))];
    }

    private static TopRow Of(string name, Dictionary<string, (double? Number, ReadValue Value)> values)
    {
        double? Number(string metric) => values.TryGetValue(metric, out var value) ? value.Number : null;
        double? Count(string metric) => values.TryGetValue(metric, out var value) ? value.Value.Value.ToDouble(value.Value.Metric.Type) : null;
        var periods = Number("cpu.periods");
        return new TopRow
        {
            Name = name,
            Kind = values.TryGetValue("kind", out var kind) ? kind.Value.Value.Text : "",
            State = Count("state") switch { 0 => "prepared", 1 => "running", 2 => "paused", 3 => "restarting", 4 => "exited", 5 => "orphaned", _ => "" },
            Cpu = Number("cpu.usage"),
            CpuLimit = Number("cpu.limit") is > 0 and var cpus ? cpus : null,
            Throttled = periods is > 0 ? Number("cpu.throttled") / periods : periods is null ? null : 0,
            Memory = Number("memory.working_set"),
            // No limit is 2^64-1, and less than that by a page on version 1.
            MemoryLimit = Number("memory.limit") is { } limit and < 1e18 ? limit : null,
            ReadBytes = Number("io.read_bytes"),
            WriteBytes = Number("io.write_bytes"),
            NetworkIn = Number("network.all.in.bytes"),
            NetworkOut = Number("network.all.out.bytes"),
            Processes = Number("pids.current"),
            CpuPressure = Number("pressure.cpu.some.time"),
            MemoryPressure = Number("pressure.memory.some.time"),
            IoPressure = Number("pressure.io.some.time"),
            Restarts = Count("restarts"),
            OutOfMemoryKills = Count("memory.oom_kills"),
        };
    }

    /// <summary>A number of bytes in at most five characters: <c>12.3M</c>.</summary>
    public static string Bytes(double? bytes)
    {
        if (bytes is not { } rest)
        {
            return "-";
        }

        var unit = 0;
        while (rest >= 1000 && unit < 5)
        {
            rest /= 1024;
            unit++;
        }

        return rest.ToString(unit == 0 || rest >= 100 ? "0" : rest >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + (unit == 0 ? "" : "KMGTP"[unit - 1]);
    }

    /// <summary>A share as a percentage: <c>12.3</c>.</summary>
    public static string Percent(double? share) => share is { } part ? (part * 100).ToString("0.0", CultureInfo.InvariantCulture) : "-";
}
