using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Cli.Commands.Metrics;

internal static class MetricListCommands
{
    private static readonly IReadOnlyList<Column<MetricSummary>> Columns =
    [
        new("name", m => m.Name),
        new("type", m => m.Type),
        new("semantics", m => m.Semantics),
        new("units", m => m.Units),
        new("what", m => m.What),
    ];

    public static readonly Command List = new()
    {
        Words = ["metric", "list"],
        Lists = true,
        Summary = "List metrics by name",
        Usage = "[OPTION…] [NAME…]",
        Description = "NAME is a metric or the beginning of names: kernel.all lists everything below it. Names, types and units are Performance Co-Pilot's.",
        Example = "muster metric list container\nmuster metric list mem.util --filter semantics=instant",
        Options = [DerivedOptions.Derive, DerivedOptions.Files],
        Arguments = (0, int.MaxValue),
        Run = (call, _) =>
        {
            using var access = new MetricAccess(call);
            var metrics = MetricReader.Resolve(access.Catalog.Current, call.Arguments);
            if (call.Quiet && !call.Json)
            {
                foreach (var metric in metrics)
                {
                    call.Terminal.Out.WriteLine(metric.Name);
                }

                return Task.FromResult(0);
            }

            Listing.Write(call, metrics.Select(Describe), Columns, MetricJson.Default.MetricSummary);
            return Task.FromResult(0);
        },
    };

    public static readonly Command Info = new()
    {
        Words = ["metric", "info"],
        Summary = "Say all that is known of metrics: type, units, help, labels, instances",
        Usage = "[OPTION…] NAME…",
        Example = "muster metric info container.cpu.throttled\nmuster metric info --derive 'my.share = 100 * container.memory.usage / container.memory.limit' my.share",
        Options = [MetricAccess.Container, DerivedOptions.Derive, DerivedOptions.Files],
        Arguments = (1, int.MaxValue),
        Run = (call, _) =>
        {
            using var access = new MetricAccess(call);
            var metrics = MetricReader.Resolve(access.Catalog.Current, call.Arguments);
            if (call.Json)
            {
                Listing.WriteJson(call, json =>
                {
                    json.WriteStartArray();
                    foreach (var metric in metrics)
                    {
                        WriteJson(json, access, metric);
                    }

                    json.WriteEndArray();
                });
                return Task.FromResult(0);
            }

            for (var i = 0; i < metrics.Count; i++)
            {
                if (i > 0)
                {
                    call.Terminal.Out.WriteLine();
                }

                Print(call, access, metrics[i]);
            }

            return Task.FromResult(0);
        },
    };

    private static MetricSummary Describe(NamedMetric metric)
    {
        var descriptor = metric.Metric.Descriptor;
        return new MetricSummary(metric.Name, descriptor.Id.ToString(), TypeName(descriptor.Type), SemanticsName(descriptor.Semantics), descriptor.Units.ToString(), descriptor.Instances.ToString(), descriptor.OneLine);
    }

    private static void Print(Invocation call, MetricAccess access, NamedMetric metric)
    {
        var output = call.Terminal.Out;
        var descriptor = metric.Metric.Descriptor;
        output.WriteLine(call.Terminal.Style(metric.Name, "1"));
        output.WriteLine("  " + descriptor.OneLine);
        if (descriptor.Help.Length > 0 && descriptor.Help != descriptor.OneLine)
        {
            output.WriteLine("  " + descriptor.Help.ReplaceLineEndings("\n  "));
        }

        output.WriteLine($"  number     {descriptor.Id}");
        output.WriteLine($"  type       {TypeName(descriptor.Type)}");
        output.WriteLine($"  semantics  {SemanticsName(descriptor.Semantics)}");
        output.WriteLine($"  units      {descriptor.Units}");
        foreach (var (name, value) in Labels(access, metric))
        {
            output.WriteLine($"  label      {name}={value}");
        }

        if (descriptor.Instances != InstanceDomainId.None)
        {
            var instances = metric.Metric.Agent.GetInstances(descriptor.Instances, access.View);
            output.WriteLine($"  instances  {instances.Count}{(instances.Count == 0 ? "" : ": " + string.Join(", ", instances.Take(20).Select(i => i.Name)) + (instances.Count > 20 ? ", …" : ""))}");
        }
    }

    private static void WriteJson(Utf8JsonWriter json, MetricAccess access, NamedMetric metric)
    {
        var descriptor = metric.Metric.Descriptor;
        json.WriteStartObject();
        json.WriteString("name"u8, metric.Name);
        json.WriteString("number"u8, descriptor.Id.ToString());
        json.WriteString("type"u8, TypeName(descriptor.Type));
        json.WriteString("semantics"u8, SemanticsName(descriptor.Semantics));
        json.WriteString("units"u8, descriptor.Units.ToString());
        json.WriteString("what"u8, descriptor.OneLine);
        json.WriteString("help"u8, descriptor.Help);
        json.WriteStartObject("labels"u8);
        foreach (var (name, value) in Labels(access, metric))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        if (descriptor.Instances != InstanceDomainId.None)
        {
            json.WriteStartArray("instances"u8);
            foreach (var instance in metric.Metric.Agent.GetInstances(descriptor.Instances, access.View))
            {
                json.WriteStartObject();
                json.WriteNumber("id"u8, instance.Id);
                json.WriteString("name"u8, instance.Name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static IEnumerable<KeyValuePair<string, string>> Labels(MetricAccess access, NamedMetric metric)
    {
        var descriptor = metric.Metric.Descriptor;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        // The innermost level wins.
        foreach (var target in (LabelTarget[])[new(LabelKind.Item, descriptor.Id.Value), new(LabelKind.Cluster, descriptor.Id.Value), new(LabelKind.InstanceDomain, descriptor.Instances.Value), new(LabelKind.Domain, (uint)descriptor.Id.Domain)])
        {
            // Without a domain of instances there are no labels of one.
            if (target.Kind == LabelKind.InstanceDomain && descriptor.Instances == InstanceDomainId.None)
            {
                continue;
            }

            foreach (var label in metric.Metric.Agent.GetLabels(target, access.View).Where(l => seen.Add(l.Key)))
            {
                yield return label;
            }
        }
    }

    private static string TypeName(MetricType type) => type switch
    {
        MetricType.Int32 => "32",
        MetricType.UInt32 => "u32",
        MetricType.Int64 => "64",
        MetricType.UInt64 => "u64",
        MetricType.HighResolutionEvent => "highres event",
        _ => type.ToString().ToLowerInvariant(),
    };

    private static string SemanticsName(MetricSemantics semantics) => semantics.ToString().ToLowerInvariant();
}
