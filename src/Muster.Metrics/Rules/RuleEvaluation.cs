using System.Globalization;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;

namespace Muster.Metrics.Rules;

/// <summary>Evaluates rules over the values of this node or of archives.</summary>
public static class RuleEvaluation
{
    // More than that nobody corrects at once.
    private const int MaxFaults = 20;

    /// <summary>
    /// Evaluates over archives: a rule sees each record that has one of its metrics, at its interval at most, and what other
    /// metrics had last. Gives every event in order; at the end where each rule stands.
    /// </summary>
    public static IReadOnlyList<RuleStatus> Replay(IReadOnlyList<Rule> rules, ArchiveSet archives, TimeWindow window, Action<RuleEvent> onEvent)
    {
        var states = rules.Select(r => new RuleState(r, archives.Names, archives.HostName, window.From)).ToList();
        var metrics = states.SelectMany(s => s.Metrics).Distinct(StringComparer.Ordinal).ToDictionary(m => m, m => archives.Names.Find(m)!.Descriptor, StringComparer.Ordinal);
        var names = metrics.ToLookup(m => m.Value.Id, m => m.Key);
        var values = metrics.Keys.ToDictionary(m => m, _ => new ValueSet(), StringComparer.Ordinal);
        var last = new DateTimeOffset[states.Count];
        foreach (var (archive, sample) in archives.Read(window.From, window.To, metrics.Values.Select(m => m.Id).ToHashSet()))
        {
            if (sample.IsMark)
            {
                foreach (var set in values.Values)
                {
                    set.Clear();
                }

                continue;
            }

            var fresh = Take(sample, names, metrics, values);
            var input = new RuleInput(sample.Time, values, (domain, id) => archive.Metadata.InstanceName(domain, id, sample.Time) ?? id.ToString(CultureInfo.InvariantCulture));
            for (var i = 0; i < states.Count; i++)
            {
                if (states[i].Metrics.Any(fresh.Contains) && sample.Time - last[i] >= states[i].Rule.Interval)
                {
                    last[i] = sample.Time;
                    if (states[i].Take(input) is { } news && sample.Time >= window.From)
                    {
                        onEvent(news);
                    }
                }
            }
        }

        return [.. states.Select(s => s.Status)];
    }

    /// <summary>Refuses rules whose conditions these metrics do not fit, all of them at once.</summary>
    public static void Check(IReadOnlyList<Rule> rules, MetricNames names)
    {
        var faults = new List<string>();
        foreach (var rule in rules)
        {
            try
            {
                _ = new RuleState(rule, names, HostFacts.HostName, default);
            }
            catch (MusterException e)
            {
                faults.Add(e.Message);
            }
        }

        if (faults.Count > 0)
        {
            throw new MusterException(ErrorKind.Invalid, string.Join("; ", faults.Take(MaxFaults)) + (faults.Count > MaxFaults ? $"; and {faults.Count - MaxFaults} more" : ""));
        }
    }

    /// <summary>Evaluates over this node's values until it is cancelled.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="catalog">The node's metrics.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onEvent">Takes each event.</param>
    /// <param name="onStatus">Takes where all rules stand, after each evaluation; must not change the list.</param>
    /// <param name="progress">Counts what is done, or null.</param>
    /// <param name="ct">Ends the evaluation.</param>
    public static async Task RunAsync(IReadOnlyList<Rule> rules, MetricCatalog catalog, TimeProvider time, Action<Rule, RuleEvent> onEvent, Action<IReadOnlyList<RuleStatus>> onStatus, RuleProgress? progress, CancellationToken ct)
    {
        var names = catalog.Current;
        var view = MetricView.Host with { Client = new ClientMemory() };
        var start = time.GetUtcNow();
        var states = rules.Select(r => new RuleState(r, names, HostFacts.HostName, start)).ToList();
        var due = rules.Select(_ => start).ToArray();
        while (true)
        {
            var wait = due.Min() - time.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time, ct);
            }

            ct.ThrowIfCancellationRequested();
            var now = time.GetUtcNow();
            var ready = Enumerable.Range(0, states.Count).Where(i => due[i] <= now).ToList();
            var input = Fetch(catalog.Current, [.. ready.SelectMany(i => states[i].Metrics).Distinct(StringComparer.Ordinal)], view, now);
            foreach (var i in ready)
            {
                due[i] = now + rules[i].Interval;
                var news = states[i].Take(input);
                if (news is not null)
                {
                    onEvent(rules[i], news);
                }

                progress?.Count(states[i].Truth, news is null ? 0 : rules[i].Actions.Count);
            }

            onStatus([.. states.Select(s => s.Status)]);
        }
    }

    private static HashSet<string> Take(ArchiveSample sample, ILookup<MetricId, string> names, Dictionary<string, MetricDescriptor> metrics, Dictionary<string, ValueSet> values)
    {
        var fresh = new HashSet<string>(StringComparer.Ordinal);
        foreach (var set in sample.Sets)
        {
            foreach (var name in names[set.Id])
            {
                fresh.Add(name);
                values[name].Clear();
                foreach (var value in set.Values)
                {
                    // A damaged archive may have a value of another type: its number is what counts.
                    var type = value.Type ?? metrics[name].Type;
                    if (type == metrics[name].Type)
                    {
                        values[name].Add(value.Instance, value.Value);
                    }
                }
            }
        }

        return fresh;
    }

    private static RuleInput Fetch(MetricNames names, IReadOnlyList<string> metrics, MetricView view, DateTimeOffset time)
    {
        var found = metrics.Select(m => (Name: m, Metric: names.Find(m)?.Descriptor)).ToList();
        var plan = FetchPlan.Of(names, [.. found.Select(f => f.Metric?.Id ?? MetricId.None)]);
        using var buffer = ValueSetBuffer.Rent();
        plan.Collect(view, buffer, null);
        var values = new Dictionary<string, ValueSet>(StringComparer.Ordinal);
        for (var i = 0; i < found.Count; i++)
        {
            // The buffer is lent: what rules look at is their own.
            var own = values[found[i].Name] = new ValueSet();
            foreach (var value in plan.Values(i, buffer).Values)
            {
                own.Add(value.Instance, value.Value);
            }
        }

        var instances = new Dictionary<InstanceDomainId, Dictionary<int, string>>();
        return new RuleInput(time, values, (domain, id) =>
        {
            if (!instances.TryGetValue(domain, out var known))
            {
                instances.Add(domain, known = []);
                foreach (var instance in names.Find(domain)?.Agent.GetInstances(domain, MetricView.Host) ?? [])
                {
                    known[instance.Id] = instance.Name;
                }
            }

            return known.GetValueOrDefault(id) ?? id.ToString(CultureInfo.InvariantCulture);
        });
    }
}
