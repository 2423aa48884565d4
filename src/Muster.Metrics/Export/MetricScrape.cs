using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>One scrape: chosen metrics, collected once, as text for Prometheus and its kin.</summary>
public static class MetricScrape
{
    /// <summary>Beginnings of names in one request; a scraper's address line holds no more anyway.</summary>
    public const int MaxNames = 1000;

    /// <summary>Bytes that wait for slow readers, all together.</summary>
    public const long MaxPending = 128L * 1024 * 1024;

    // Collecting is work for the processors; more at once only makes each of them later.
    private static readonly SemaphoreSlim Making = new(2);

    private static long _pending;

    // Per-process values are many and short-lived: who wants them in a time series database says so.
    private const string LeftOut = "proc.";

    /// <summary>The content type of a format.</summary>
    public static string ContentType(ExpositionFormat format) => format == ExpositionFormat.OpenMetrics
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The format that an Accept header prefers; Prometheus' own where it does not say.</summary>
    public static ExpositionFormat Negotiate(string? accept)
    {
        var (open, plain) = (0d, 0d);
        foreach (var range in (accept ?? "").Split(','))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            var quality = parts.FirstOrDefault(p => p.StartsWith("q=", StringComparison.OrdinalIgnoreCase)) is { } q
                && double.TryParse(q.AsSpan(2), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 1;
            switch (parts[0].ToLowerInvariant())
            {
                case "application/openmetrics-text" when !parts.Any(p => p.StartsWith("version=", StringComparison.OrdinalIgnoreCase) && p != "version=1.0.0"):
                    open = Math.Max(open, quality);
                    break;
                case "text/plain" or "*/*" or "text/*":
                    plain = Math.Max(plain, quality);
                    break;
                default:
                    break;
            }
        }

        return open > 0 && open >= plain ? ExpositionFormat.OpenMetrics : ExpositionFormat.Prometheus;
    }

    /// <summary>
    /// Writes the metrics whose names begin with one of <paramref name="names"/> (whole parts: <c>mem</c> is <c>mem.util.free</c>
    /// but not <c>memory.x</c>); all but per-process ones when there is none. An unknown name is a <see cref="ErrorKind.NotFound"/>,
    /// too many bytes that wait for slow readers an <see cref="ErrorKind.Exhausted"/>.
    /// </summary>
    public static async Task WriteAsync(DoorState door, IReadOnlyCollection<string> names, MetricView view, ExpositionFormat format, Func<ReadOnlyMemory<byte>, Task> send, CancellationToken ct)
    {
        using var buffer = new TextBuffer();
        await Making.WaitAsync(ct);
        try
        {
            Write(door, names, view, format, buffer);
        }
        finally
        {
            // Before it is sent: a reader that takes its time keeps nobody else waiting.
            Making.Release();
        }

        var length = buffer.Written.Length;
        try
        {
            if (Interlocked.Add(ref _pending, length) > MaxPending)
            {
                throw new MusterException(ErrorKind.Exhausted, $"More than {MaxPending} bytes of metrics wait for slow readers: ask again later");
            }

            await send(buffer.Written);
        }
        finally
        {
            Interlocked.Add(ref _pending, -length);
        }
    }

    /// <summary>The metrics of some beginnings of names, each once.</summary>
    internal static IReadOnlyList<CatalogMetric> Choose(MetricNames catalog, IReadOnlyCollection<string> names)
    {
        if (names.Count > MaxNames)
        {
            throw new MusterException(ErrorKind.Invalid, $"{names.Count} names are asked for at once, more than {MaxNames}: ask for the beginnings of names");
        }

        if (names.Count == 0)
        {
            return [.. catalog.All.Where(m => !m.Name.StartsWith(LeftOut, StringComparison.Ordinal)).Select(m => m.Metric).Distinct()];
        }

        return [.. names.SelectMany(n => catalog.Node(n)?.Leaves() ?? throw new MusterException(ErrorKind.NotFound, $"There is no metric {n}, and none whose name begins so")).Select(m => m.Metric).Distinct()];
    }

    internal static void Write(DoorState door, IReadOnlyCollection<string> names, MetricView view, ExpositionFormat format, TextBuffer buffer)
    {
        var catalog = door.Catalog.Current;
        var plan = FetchPlan.Of(catalog, [.. Choose(catalog, names).Select(m => m.Descriptor.Id)]);
        using var values = ValueSetBuffer.Rent();
        plan.Collect(view, values, door.AgentFailed);
        var writer = new OpenMetricsWriter(buffer, format);
        var labels = new InstanceLabels(catalog, view);
        for (var i = 0; i < plan.Ids.Length; i++)
        {
            var metric = plan.Descriptor(i)!;
            var set = plan.Values(i, values);
            if (set.Error != 0 || set.Values.Length == 0 || !writer.Begin(metric))
            {
                continue;
            }

            var ofDomain = metric.Instances == InstanceDomainId.None ? null : labels.Of(metric.Instances);
            foreach (var value in set.Values)
            {
                if (ofDomain is null)
                {
                    writer.Sample(value.Value, []);
                }
                else if (ofDomain.Find(value.Instance) is { } text)
                {
                    writer.Sample(value.Value, text);
                }
            }
        }

        writer.End();
    }

    /// <summary>The labels of instances as text, made once for a scrape however many metrics share the domain.</summary>
    private sealed class InstanceLabels(MetricNames catalog, MetricView view)
    {
        private readonly Dictionary<InstanceDomainId, DomainLabels> _domains = [];

        public DomainLabels Of(InstanceDomainId id)
        {
            if (!_domains.TryGetValue(id, out var labels))
            {
                _domains.Add(id, labels = new DomainLabels(catalog.Find(id)?.Agent, id, view));
            }

            return labels;
        }
    }

    /// <summary>The labels of the instances of one domain. Names come from the agent's memory where it has one: a list is another reading.</summary>
    private sealed class DomainLabels(IMetricAgent? agent, InstanceDomainId domain, MetricView view)
    {
        private readonly Dictionary<int, byte[]> _labels = [];
        private IReadOnlyList<KeyValuePair<string, string>>? _shared;
        private bool _isListed;

        /// <summary>An instance's labels, null for one that is gone.</summary>
        public byte[]? Find(int instance)
        {
            if (_labels.TryGetValue(instance, out var labels) || agent is null)
            {
                return labels;
            }

            if (agent.GetInstanceName(domain, instance) is { } name)
            {
                return _labels[instance] = Labels(agent, instance, name);
            }

            if (!_isListed)
            {
                _isListed = true;
                foreach (var one in agent.GetInstances(domain, view))
                {
                    _labels[one.Id] = Labels(agent, one.Id, one.Name);
                }
            }

            return _labels.GetValueOrDefault(instance);
        }

        private byte[] Labels(IMetricAgent from, int instance, string name)
        {
            _shared ??= from.GetLabels(new LabelTarget(LabelKind.InstanceDomain, domain.Value), view);
            return OpenMetricsWriter.Labels([new("instname", name), .. from.GetLabels(new LabelTarget(LabelKind.Instance, domain.Value, instance), view), .. _shared]);
        }
    }
}
