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

    // Whoever waits longer is woken for nothing: timers end at 49 days.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>
    /// Evaluates over archives at regular times from the window's beginning on, with the values that pmie(1) has then: each rule at
    /// its interval, whenever records were written, for each host by itself. Gives every event in order; at the end where each rule
    /// stands. A rule that only some of the hosts have the metrics of is left out for the others, and said to be.
    /// </summary>
    public static IReadOnlyList<RuleStatus> Replay(IReadOnlyList<Rule> rules, IReadOnlyList<ArchiveSet> hosts, TimeWindow window, Action<RuleEvent> onEvent, Action<string> onNote)
    {
        Check(rules, [.. hosts.Select(h => h.Names)]);
        var all = hosts.Select(h => new HostRules(h, [.. rules.Select((r, i) => (i, State: State(r, h, window.From, onNote))).Where(r => r.State is not null).Select(r => (r.i, r.State!))])).ToList();
        var due = rules.Select(_ => window.From).ToArray();
        for (var time = window.From; time <= window.To; time = due.Min())
        {
            var ready = Enumerable.Range(0, rules.Count).Where(i => due[i] <= time).ToHashSet();
            foreach (var news in all.SelectMany(h => h.Take(time, ready)))
            {
                onEvent(news);
            }

            foreach (var i in ready)
            {
                due[i] = time + rules[i].Interval;
            }
        }

        return [.. all.SelectMany(h => h.States.Select(s => hosts.Count > 1 ? s.State.Status with { Host = h.Name } : s.State.Status))];
    }

    /// <summary>Refuses rules whose conditions these metrics do not fit, all of them at once.</summary>
    public static void Check(IReadOnlyList<Rule> rules, MetricNames names) => Check(rules, [names]);

    /// <summary>The same for several hosts: refuses what fits none of them.</summary>
    public static void Check(IReadOnlyList<Rule> rules, IReadOnlyList<MetricNames> hosts)
    {
        var faults = rules.Select(r => hosts.Select(h => Fault(r, h)).ToList()).Where(f => f.TrueForAll(x => x is not null)).Select(f => f[0]!).ToList();
        if (faults.Count > 0)
        {
            throw new MusterException(ErrorKind.Invalid, string.Join("; ", faults.Take(MaxFaults)) + (faults.Count > MaxFaults ? $"; and {faults.Count - MaxFaults} more" : ""));
        }
    }

    private static string? Fault(Rule rule, MetricNames names)
    {
        try
        {
            _ = new RuleState(rule, names, HostFacts.HostName, default);
            return null;
        }
        catch (MusterException e)
        {
            return e.Message;
        }
    }

    private static RuleState? State(Rule rule, ArchiveSet host, DateTimeOffset start, Action<string> onNote)
    {
        try
        {
            return new RuleState(rule, host.Names, host.HostName, start);
        }
        catch (MusterException e)
        {
            onNote($"{host.HostName}: {e.Message}; the rule is left out for this host");
            return null;
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
                await Task.Delay(wait < LongestWait ? wait : LongestWait, time, ct);
                continue;
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

    /// <summary>The rules of one host over its archives.</summary>
    private sealed class HostRules(ArchiveSet archives, IReadOnlyList<(int Rule, RuleState State)> states)
    {
        private readonly ArchiveValues _values = new(archives, [.. states.SelectMany(s => s.State.Metrics).Distinct(StringComparer.Ordinal)]);

        public string Name => archives.HostName;

        public IReadOnlyList<(int Rule, RuleState State)> States => states;

        public IEnumerable<RuleEvent> Take(DateTimeOffset time, IReadOnlySet<int> ready)
        {
            // Another host's archives may begin earlier and end later: of this one nobody knows anything then.
            if (time < archives.Start || time > archives.End)
            {
                return [];
            }

            var due = states.Where(s => ready.Contains(s.Rule)).Select(s => s.State).ToList();
            var input = _values.At(time, due.SelectMany(s => s.Metrics).Distinct(StringComparer.Ordinal));
            return due.Select(s => s.Take(input)).OfType<RuleEvent>().ToList();
        }
    }
}
