using Muster.Cli.CommandLine;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;

namespace Muster.Cli.Commands.Metrics;

internal static class PmdaCommand
{
    public static readonly Command Command = new()
    {
        Words = ["pmda"],
        Summary = "Give this node's metrics to an existing pmcd, as its agent",
        Usage = "[--namespace] DOMAIN",
        Description = """
            Where Performance Co-Pilot runs already, its pmcd can ask Muster as one of its agents instead of Muster answering PCP's clients itself. DOMAIN is the number of one domain of metrics: pmcd starts one agent for each. muster talks to pmcd on its standard input and output, needs no daemon, and ends with pmcd.

            --namespace prints the lines that pmcd needs to find the names; an entry of pmcd.conf starts the agent.
            """,
        Example = """
            muster pmda --namespace 479 > /var/lib/pcp/pmns/root_muster
            # in /etc/pcp/pmcd/pmcd.conf: muster 479 pipe binary /usr/local/bin/muster pmda 479
            """,
        Options = [new("namespace", "Print the lines of pmcd's namespace and end")],
        Arguments = (1, 1),
        Run = async (call, ct) =>
        {
            var agents = MetricAgents.For(call.Root, call.Time, new PodContainers(call.Root, call.Time));
            try
            {
                var own = Choose(agents, call.Arguments[0]);
                if (call.Has("namespace"))
                {
                    call.Terminal.Out.Write(PipeAgent.Namespace(own));
                    return 0;
                }

                await using var input = Console.OpenStandardInput();
                await using var output = Console.OpenStandardOutput();
                using var agent = new PipeAgent(own, call.Time, line => call.Terminal.Error.WriteLine("muster pmda: " + line));
                await agent.RunAsync(input, output, ct);
                return 0;
            }
            finally
            {
                foreach (var closing in agents.OfType<IDisposable>())
                {
                    closing.Dispose();
                }
            }
        },
    };

    private static IReadOnlyList<IMetricAgent> Choose(IReadOnlyList<IMetricAgent> agents, string word)
    {
        var domains = string.Join(", ", agents.GroupBy(a => a.Domain).OrderBy(g => g.Key).Select(g => $"{g.Key} ({string.Join(' ', g.Select(a => a.Name).Distinct())})"));
        if (!int.TryParse(word, out var domain))
        {
            throw new MusterException(ErrorKind.Usage, $"\"{word}\" is no number of a domain: there are {domains}");
        }

        return agents.Where(a => a.Domain == domain).ToList() is { Count: > 0 } own
            ? own
            : throw new MusterException(ErrorKind.NotFound, $"There are no metrics of domain {domain}: there are {domains}");
    }
}
