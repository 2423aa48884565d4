using Muster.Cli.CommandLine;
using Muster.Containers.Metering;
using Muster.Core;
using Muster.Metrics.Agents.Containers;
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
            # in /etc/pcp/pmcd/pmcd.conf, before [access]: muster 450 pipe binary /usr/local/bin/muster pmda 450
            muster pmda --namespace 450 > /var/lib/pcp/pmns/root_muster
            cd /var/lib/pcp/pmns && ./Rebuild && kill -HUP $(pidof pmcd)
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
                using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
                var sampling = SampleAsync(own, call.Time, end.Token);
                await agent.RunAsync(input, output, ct);
                await end.CancelAsync();
                await sampling;
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

    // As the daemon does: what nobody asked for before a container was started again would be lost with it. The daemon's own
    // file is the daemon's to write.
    private static async Task SampleAsync(IReadOnlyList<IMetricAgent> agents, TimeProvider time, CancellationToken ct)
    {
        if (agents.OfType<ContainerAgent>().SingleOrDefault() is not { } containers)
        {
            return;
        }

        var following = containers.FollowEndsAsync(ct);
        try
        {
            while (true)
            {
                containers.Sample(isSaved: false);
                await Task.Delay(ContainerAgent.SampleInterval, time, ct);
            }
        }
        catch (OperationCanceledException)
        {
            await following;
        }
    }

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
