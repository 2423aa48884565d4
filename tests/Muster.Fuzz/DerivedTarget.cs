using System.Text;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Fuzz;

/// <summary>Any text as a file of derived metrics: each definition is taken and evaluated twice, or refused in one sentence.</summary>
public static class DerivedTarget
{
    // The metrics of the door itself: texts, numbers and instances, and reading them touches nothing.
    private static readonly MetricCatalog Catalog = new DoorState([], TimeProvider.System, _ => { }).Catalog;

    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "a.b = rate(pmcd.cputime.total) * 2 + sum(pmcd.agent.status) / 3.5\na.b(oneline) = 'x\\'y'\na.c = a.b > 0 ? a.b : novalue()\n"u8.ToArray(),
        "a = matchinst(!/^p[[:alpha:]]{1,3}(x|y)*$/, pmcd.agent.status)\nb = pmcd.pdu_in.total + 1 \\\n - mkconst(3, type=u32, semantics=counter, units=\"count\")\n"u8.ToArray(),
        "# c\na = rescale(delta(pmcd.pdu_in.total), \"count x 10^3\")\nb = scalar(pmcd.agent.status[pmcd]) && !defined(a.b) || count(pmcd.version) != 1\nc = anon(PM_TYPE_64)\n"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        var definitions = new DerivedDefinitions(TimeProvider.System);
        var faults = new List<string>();
        DerivedFiles.Parse(Encoding.UTF8.GetString(data), "fuzz", definitions, faults);
        var names = Catalog.With(definitions).Current;
        foreach (var fault in faults.Concat(names.Conflicts))
        {
            if (fault.Length == 0)
            {
                throw new InvalidOperationException("a refusal without a word");
            }
        }

        var plan = FetchPlan.Of(names, [.. names.Derived?.Metrics.Select(m => m.Id) ?? []]);
        using var values = ValueSetBuffer.Rent();
        for (var i = 0; i < 2; i++)
        {
            plan.Collect(MetricView.Host, values, (agent, e) => throw new InvalidOperationException(agent.Name, e));
        }
    }
}
