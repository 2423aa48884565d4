namespace Muster.Metrics.Reporting;

/// <summary>
/// What has a row of its own: containers and their apps; a pod of one app has one row, since what its app does is what the pod does. Pure.
/// </summary>
internal static class ContainerRows
{
    public static IEnumerable<KeyValuePair<string, IReadOnlyDictionary<string, UseSeries>>> Join(IReadOnlyDictionary<string, Dictionary<string, UseSeries>> instances)
    {
        var apps = instances.Keys.Where(n => Pod(n) is not null).ToLookup(n => Pod(n)!, StringComparer.Ordinal);
        foreach (var (name, series) in instances)
        {
            if (Pod(name) is { } pod && instances.ContainsKey(pod) && apps[pod].Take(2).Count() == 1)
            {
                continue;
            }

            var own = Pod(name) is null ? apps[name].Take(2).ToList() : [];
            yield return new(name, own.Count == 1 ? Join(series, instances[own[0]]) : series);
        }
    }

    // The pod's own values, and the app's where they say more: the lower of two limits is the one that is met.
    private static Dictionary<string, UseSeries> Join(Dictionary<string, UseSeries> pod, Dictionary<string, UseSeries> app)
    {
        var joined = new Dictionary<string, UseSeries>(app, StringComparer.Ordinal);
        foreach (var (metric, series) in pod)
        {
            joined[metric] = series;
        }

        Lower("container.cpu.limit", "container.cpu.periods", "container.cpu.throttled");
        Lower("container.memory.limit");
        if (app.TryGetValue("container.memory.oom_kills", out var kills) && kills.Growth > joined["container.memory.oom_kills"].Growth)
        {
            joined["container.memory.oom_kills"] = kills;
        }

        return joined;

        void Lower(string limit, params string[] beside)
        {
            if (Limit(app, limit) < (Limit(pod, limit) ?? double.MaxValue))
            {
                foreach (var metric in beside.Append(limit).Where(app.ContainsKey))
                {
                    joined[metric] = app[metric];
                }
            }
        }
    }

    private static double? Limit(Dictionary<string, UseSeries> series, string metric) => series.TryGetValue(metric, out var one) && CapacityPlanning.LastLimit(one) is { } limit ? limit : null;

    private static string? Pod(string name) => name.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? name[..end] : null;
}
