using System.Text;
using System.Text.Json;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Fuzz;

/// <summary>Any text as requests of the REST interface, a line each: <c>PATH NAME=VALUE NAME=VALUE</c>; the answer is JSON. Also as an Accept header.</summary>
public static class PmapiTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "derive\tname=a.b\texpr=rate(pmcd.cputime.total) * 2 + sum(pmcd.agent.status) / 3e1\nfetch\tnames=a.b,pmcd.pid\n"u8.ToArray(),
        "context\thostspec=pcp://localhost:44321?container=a%20b\tpolltimeout=1.5\nindom\tname=pmcd.agent.status\tmatch=p*\nprofile\texpr=del\tindom=2.3\tinstances=1,2\nstore\tname=pmcd.client.whoami\tvalue=x\n"u8.ToArray(),
        "metric\tprefix=pmcd\nmetric\tpmids=2.0.21,5\nchildren\tprefix=\nping\n1/fetch\tname=x\n"u8.ToArray(),
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3,*/*;q=0.1"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        var text = Encoding.UTF8.GetString(data);
        _ = MetricScrape.Negotiate(text);
        var contexts = new PmapiContexts(new DoorState([], TimeProvider.System, _ => { }));
        string? context = null;
        foreach (var line in text.Split('\n').Take(50))
        {
            var parts = line.Split('\t');
            var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var part in parts.Skip(1).Where(p => p.Contains('=', StringComparison.Ordinal)))
            {
                parameters[part[..part.IndexOf('=', StringComparison.Ordinal)]] = part[(part.IndexOf('=', StringComparison.Ordinal) + 1)..];
            }

            if (context is not null)
            {
                parameters.TryAdd("context", context);
            }

            var answer = contexts.Answer(parts[0], parameters, MetricView.Host);
            using var json = JsonDocument.Parse(answer.Json);
            if (answer.Status == 200 && json.RootElement.TryGetProperty("context", out var id))
            {
                context = id.GetRawText();
            }
        }
    }
}
