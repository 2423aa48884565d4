using Muster.Cli.CommandLine;
using Muster.Core.Configuration;
using Muster.Linux;

namespace Muster.Cli.Commands.Host;

internal static class ConfigCommand
{
    public static readonly Command Command = new()
    {
        Words = ["config"],
        Lists = true,
        Summary = "Show every key of muster.yaml with its value, default and meaning",
        Usage = "[OPTION…]",
        Description = "Values come from etc/muster.yaml of the root (/etc/muster/muster.yaml). With --template a file is printed that states every default, ready to be edited.",
        Example = "muster config\nmuster config --template > /etc/muster/muster.yaml",
        Options = [new("template", "Print a muster.yaml with every key")],
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            if (call.Has("template"))
            {
                Template(call.Terminal.Out);
                return Task.FromResult(0);
            }

            var settings = SettingsFile.Load(call.Root);
            var rows = Settings.Known.Select(k => new ConfigRow(k.Key, settings[k.Key], k.Default, settings.IsSet(k.Key), k.Meaning));
            Listing.Write(call, rows,
            [
                new Column<ConfigRow>("key", r => r.Key),
                new Column<ConfigRow>("value", r => r.Value.Length == 0 ? "-" : r.Value),
                new Column<ConfigRow>("default", r => r.Default.Length == 0 ? "-" : r.Default),
                new Column<ConfigRow>("meaning", r => r.Meaning),
            ], CliJson.Default.ConfigRow);
            return Task.FromResult(0);
        },
    };

    private static void Template(TextWriter output)
    {
        foreach (var section in Settings.Known.GroupBy(k => k.Key[..k.Key.IndexOf('.', StringComparison.Ordinal)], StringComparer.Ordinal))
        {
            output.WriteLine(section.Key + ":");
            foreach (var setting in section)
            {
                output.WriteLine($"  # {setting.Meaning}.");
                output.WriteLine($"  {setting.Key[(section.Key.Length + 1)..]}: {(setting.Default.Length == 0 ? "\"\"" : setting.Default)}");
            }
        }
    }
}

/// <summary>A row of <c>muster config</c>.</summary>
internal sealed record ConfigRow(string Key, string Value, string Default, bool Set, string Meaning);
