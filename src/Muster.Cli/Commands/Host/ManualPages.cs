using Muster.Linux;
using System.Text;
using Muster.Cli.CommandLine;

namespace Muster.Cli.Commands.Host;

/// <summary>Manual pages in man(7) form, one for muster and one for each verb.</summary>
internal static class ManualPages
{
    public static readonly Command Command = new()
    {
        Words = ["generate", "man"],
        Summary = "Write the manual pages into a folder",
        Usage = "DIR",
        Example = "muster generate man /usr/local/share/man/man1",
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var folder = call.Arguments[0];
            Directory.CreateDirectory(folder);
            OutputFile.Write(Path.Combine(folder, "muster.1"), Overview(CommandTable.Sections));
            foreach (var command in CommandTable.All.Where(c => !c.Hidden))
            {
                OutputFile.Write(Path.Combine(folder, $"muster-{string.Join('-', command.Words)}.1"), Page(command));
            }

            return Task.FromResult(0);
        },
    };

    private static string Overview(IReadOnlyList<CommandSection> sections)
    {
        var text = new StringBuilder(Heading("muster", "run signed container images and keep them running"));
        text.Append(".SH SYNOPSIS\n.B muster\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH COMMANDS\n");
        foreach (var section in sections)
        {
            text.Append(".SS ").Append(Escape(section.Title)).Append('\n');
            foreach (var command in section.Shown)
            {
                text.Append(".TP\n.BR muster\\-").Append(Escape(string.Join('-', command.Words))).Append(" (1)\n").Append(Escape(command.Summary)).Append(".\n");
            }
        }

        text.Append(".SH OPTIONS\n");
        Options(text, GlobalOptions.All);
        text.Append(".SH EXIT STATUS\n0 on success; 2 for a wrong command line; 254 for Muster's own errors; \\fBmuster run\\fR otherwise ends with the app's status: 128+n after signal n, 126 and 127 when its program cannot be executed or found.\n");
        text.Append(".SH FILES\n.TP\n/etc/muster\nconfiguration, trusted keys, policy, network definitions\n.TP\n/run/muster\nsockets, locks, addresses\n.TP\n/var/lib/muster\nimages and pods\n.SH ENVIRONMENT\n.TP\nMUSTER_ROOT\nthe default of \\fB\\-\\-root\\fR\n.TP\nNO_COLOR\nno colours\n");
        return text.ToString();
    }

    private static string Page(Command command)
    {
        var name = "muster-" + string.Join('-', command.Words);
        var text = new StringBuilder(Heading(name, command.Summary));
        text.Append(".SH SYNOPSIS\n.B muster ").Append(Escape(command.Name)).Append('\n').Append(Escape(command.Usage)).Append('\n');
        foreach (var alias in command.Aliases)
        {
            text.Append(".br\n.B muster ").Append(Escape(string.Join(' ', alias))).Append("\n\\&...\n");
        }

        if (command.Description.Length > 0)
        {
            text.Append(".SH DESCRIPTION\n").Append(Escape(command.Description.Trim())).Append('\n');
        }

        text.Append(".SH OPTIONS\n");
        Options(text, command.Options);
        Options(text, GlobalOptions.All);
        text.Append(".SH EXAMPLE\n.nf\n").Append(Escape(string.Join('\n', command.Example.Trim().Split('\n').Select(l => l.Trim())))).Append("\n.fi\n.SH SEE ALSO\n.BR muster (1)\n");
        return text.ToString();
    }

    private static string Heading(string name, string summary) =>
        $".TH {name.ToUpperInvariant()} 1 \"\" \"Muster {VersionCommand.Version}\" \"Muster\"\n.SH NAME\n{Escape(name)} \\- {Escape(summary)}\n";

    private static void Options(StringBuilder text, IReadOnlyList<Option> options)
    {
        foreach (var option in options)
        {
            text.Append(".TP\n.B ").Append(Escape(HelpText.Form(option).Trim())).Append('\n').Append(Escape(option.Help));
            if (option.Choices.Count > 0)
            {
                text.Append(": ").AppendJoin(", ", option.Choices);
            }

            text.Append(option.Default is { } otherwise ? $" (default {Escape(otherwise)})" : "").Append(option.Repeatable ? "; may be repeated" : "").Append(".\n");
        }
    }

    // A dash may be broken or become another character; a dot or quote at the beginning of a line is a request.
    private static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return string.Join('\n', escaped.Split('\n').Select(l => l.TrimStart() is ['.' or '\'', ..] and var line ? "\\&" + line : l.TrimStart()));
    }
}
