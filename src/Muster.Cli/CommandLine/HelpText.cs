using System.Text;

namespace Muster.Cli.CommandLine;

/// <summary>Help as text, made from the command values.</summary>
public static class HelpText
{
    /// <summary>What <c>muster --help</c> prints: every command with its line, by section.</summary>
    public static string Overview(IReadOnlyList<CommandSection> sections)
    {
        var text = new StringBuilder();
        text.Append("Muster runs signed container images and keeps them running.\n\nUsage: muster COMMAND [OPTION…] [ARGUMENT…]\n");
        var shown = sections.SelectMany(s => s.Shown).ToList();
        var width = shown.Max(c => c.Name.Length);
        foreach (var section in sections)
        {
            text.Append('\n').Append(section.Title).Append(":\n");
            AppendCommands(text, section.Shown, width);
        }

        text.Append("\nOther names: ").AppendJoin(", ", shown.SelectMany(c => c.Aliases.Select(a => $"{string.Join(' ', a)} ({c.Name})"))).Append(".\n");
        text.Append("\nOptions of every command:\n");
        AppendOptions(text, GlobalOptions.All);
        text.Append("\nmuster COMMAND --help tells more, with an example.\n");
        return text.ToString();
    }

    /// <summary>What <c>muster GROUP --help</c> prints: the commands that begin with a word.</summary>
    public static string Of(string group, IReadOnlyList<Command> commands)
    {
        var text = new StringBuilder();
        text.Append("Usage: muster ").Append(group).Append(" COMMAND [OPTION…] [ARGUMENT…]\n\nCommands:\n");
        AppendCommands(text, commands, commands.Max(c => c.Name.Length));
        return text.Append("\nmuster ").Append(group).Append(" COMMAND --help tells more, with an example.\n").ToString();
    }

    /// <summary>What <c>muster COMMAND --help</c> prints.</summary>
    public static string For(Command command)
    {
        var text = new StringBuilder();
        text.Append(command.Summary).Append(".\n\nUsage: muster ").Append(command.Name);
        if (command.Usage.Length > 0)
        {
            text.Append(' ').Append(command.Usage);
        }

        text.Append('\n');
        foreach (var alias in command.Aliases)
        {
            text.Append("   or: muster ").AppendJoin(' ', alias).Append('\n');
        }

        if (command.Description.Length > 0)
        {
            text.Append('\n').Append(command.Description.Trim()).Append('\n');
        }

        if (command.Options.Count > 0)
        {
            text.Append("\nOptions:\n");
            AppendOptions(text, command.Options);
        }

        text.Append("\nOptions of every command:\n");
        AppendOptions(text, GlobalOptions.All);
        text.Append("\nExample:\n");
        foreach (var line in command.Example.Trim().Split('\n'))
        {
            text.Append("  ").Append(line.Trim()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>An option as help shows it: <c>-q, --quiet</c> or <c>--wait[=SECONDS]</c>.</summary>
    public static string Form(Option option)
    {
        var form = option.Short is { } letter ? $"-{letter}, --{option.Name}" : $"    --{option.Name}";
        return option.Value is null ? form
            : option.BareValue is null ? $"{form}={option.Value}"
            : $"{form}[={option.Value}]";
    }

    private static void AppendCommands(StringBuilder text, IEnumerable<Command> commands, int width)
    {
        foreach (var command in commands)
        {
            text.Append("  ").Append(command.Name.PadRight(width)).Append("  ").Append(command.Summary).Append('\n');
        }
    }

    private static void AppendOptions(StringBuilder text, IReadOnlyList<Option> options)
    {
        var width = Math.Min(34, options.Max(o => Form(o).Length));
        foreach (var option in options)
        {
            var form = Form(option);
            text.Append("  ").Append(form.PadRight(width));
            if (form.Length > width)
            {
                text.Append("\n  ").Append(' ', width);
            }

            text.Append("  ").Append(option.Help);
            if (option.Choices.Count > 0)
            {
                text.Append(": ").AppendJoin(", ", option.Choices);
            }

            if (option.Default is { } otherwise)
            {
                text.Append(" (default ").Append(otherwise).Append(')');
            }

            if (option.Repeatable)
            {
                text.Append("; may be repeated");
            }

            text.Append('\n');
        }
    }
}
