using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Linux;
using Muster.Metrics.Derived;
using Muster.Metrics.Names;

namespace Muster.Cli.Commands.Metrics;

/// <summary>Derived metrics that a verb knows: the node's, those of the environment as PCP's tools have them, and those that the command line defines.</summary>
internal static class DerivedOptions
{
    public static readonly Option Derive = new("derive", "Define a metric that is computed from others, as PCP's derived metrics are", "'NAME = EXPRESSION'") { Repeatable = true };
    public static readonly Option Files = new("derived", "Define the metrics of files or folders in PCP's form, separated by colons", "FILE") { Repeatable = true };

    // As libpcp has it; unlike libpcp, nothing is taken from PCP's own folder when it is not set.
    private const string Variable = "PCP_DERIVED_CONFIG";

    /// <summary>The definitions; each may use those before it, and the command line's go before others of the same name.</summary>
    public static DerivedDefinitions Of(Invocation call)
    {
        var definitions = new DerivedDefinitions(call.Time);
        var node = SettingsFile.Load(call.Root)["metrics.derived"];
        foreach (var (files, what) in new[] { (node is "none" ? "" : node, "metrics.derived"), (Environment.GetEnvironmentVariable(Variable) ?? "", Variable) })
        {
            // Nobody asked for these now: what is wrong in them must not be in the way.
            foreach (var fault in files.Length == 0 ? [] : definitions.AddFiles(files))
            {
                call.Terminal.Warn($"{what}: {fault}");
            }
        }

        foreach (var files in call.Values("derived"))
        {
            if (definitions.AddFiles(files) is { Count: > 0 } faults)
            {
                throw new MusterException(ErrorKind.Invalid, string.Join("; ", faults.Take(10)) + (faults.Count > 10 ? $"; and {faults.Count - 10} more" : ""));
            }
        }

        foreach (var text in call.Values("derive"))
        {
            definitions.Add(text, isOwn: true);
        }

        return definitions;
    }

    /// <summary>Refuses what the command line defines and the metrics of no host fit; of files, only what is asked for is missed.</summary>
    public static void Check(DerivedDefinitions definitions, params IReadOnlyList<MetricNames> hosts)
    {
        foreach (var own in definitions.All)
        {
            if (own.IsOwn && hosts.All(h => h.WhyNot(own) is not null) && hosts[0].WhyNot(own) is { } why)
            {
                throw new MusterException(ErrorKind.Invalid, $"--derive: {why}");
            }
        }
    }
}
