using Muster.Core;
using Muster.Linux;

namespace Muster.Daemon;

/// <summary>How musterd was called.</summary>
public sealed record DaemonOptions
{
    private const string Usage = """
        Usage: musterd [--root DIR] [--socket PATH] [--listen-pcp ADDRESS:PORT|none]
        Runs the services of a node: its doors, metrics, instances. Stopping it stops no container.
          --root DIR     keep everything below DIR (default $MUSTER_ROOT, else the system's places)
          --socket PATH  the Unix socket it answers on (default RUN/muster.socket)
          --listen-pcp ADDRESS:PORT
                         where PCP's clients are answered over TCP; none for the Unix socket RUN/pmcd.socket alone
                         (default metrics.listen-pcp of muster.yaml, else 127.0.0.1:44321; none with --root)
        """;

    public required MusterRoot Root { get; init; }

    /// <summary>The main door, a Unix socket.</summary>
    public required string Socket { get; init; }

    /// <summary>The TCP address for PCP's clients, as <c>--listen-pcp</c> gave it; null when it did not.</summary>
    public string? ListenPcp { get; init; }

    /// <summary>Reads the words; null with a sentence or the usage text when they are not understood.</summary>
    public static DaemonOptions? Parse(IReadOnlyList<string> words, out string? refusal)
    {
        var directory = Environment.GetEnvironmentVariable("MUSTER_ROOT");
        string? socket = null;
        string? pcp = null;
        refusal = null;
        for (var i = 0; i < words.Count; i++)
        {
            var equals = words[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? words[i] : words[i][..equals];
            var value = equals >= 0 ? words[i][(equals + 1)..] : null;
            switch (name)
            {
                case "--help" or "-h":
                    refusal = Usage;
                    return null;
                case "--root" or "--socket" when (value ??= i + 1 < words.Count ? words[++i] : null) is { Length: > 0 }:
                    (directory, socket) = name == "--root" ? (value, socket) : (directory, value);
                    break;
                case "--listen-pcp" when (value ??= i + 1 < words.Count ? words[++i] : null) is { Length: > 0 } address:
                    if (address != "none" && !(address.Contains(':', StringComparison.Ordinal) && System.Net.IPEndPoint.TryParse(address, out _)))
                    {
                        refusal = $"musterd: --listen-pcp={address} is no address: write ADDRESS:PORT, for example 127.0.0.1:44321, or none";
                        return null;
                    }

                    pcp = address;
                    break;
                default:
                    refusal = $"musterd: \"{words[i]}\" is not understood: see musterd --help";
                    return null;
            }
        }

        if (!string.IsNullOrEmpty(directory))
        {
            Directory.CreateDirectory(directory);
        }

        var root = new MusterRoot(string.IsNullOrEmpty(directory) ? null : RealPath.Resolve(directory));
        return new DaemonOptions { Root = root, Socket = socket ?? Path.Combine(root.Run, "muster.socket"), ListenPcp = pcp };
    }
}
