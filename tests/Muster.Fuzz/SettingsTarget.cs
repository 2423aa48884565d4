using System.Text;
using Muster.Core;
using Muster.Core.Configuration;

namespace Muster.Fuzz;

/// <summary>Any text as muster.yaml: taken with valid values or refused in one sentence.</summary>
public static class SettingsTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "---\npods:\n  runtime: crun # a remark\n  network: \"blue\"\n  pids: 4096\n  log-max-size: 16Mi\ngc:\n  grace-period: '30m'\n"u8.ToArray(),
        "pods:\n\tpids: 1\n"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        try
        {
            var settings = Settings.Parse(Encoding.UTF8.GetString(data), "fuzz");
            foreach (var known in Settings.Known)
            {
                if (!known.IsValid(settings[known.Key]))
                {
                    throw new InvalidOperationException($"{known.Key} was taken as {settings[known.Key]}");
                }
            }
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Invalid && !e.Message.Contains('\n', StringComparison.Ordinal))
        {
            // Refused, as it should be.
        }
    }
}
