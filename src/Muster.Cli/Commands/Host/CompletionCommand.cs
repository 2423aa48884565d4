using System.Text;
using Muster.Cli.CommandLine;

namespace Muster.Cli.Commands.Host;

internal static class CompletionCommand
{
    public static readonly Command Command = new()
    {
        Words = ["completion"],
        Summary = "Print the completion script for a shell",
        Usage = "bash|zsh|fish",
        Example = "muster completion bash > /etc/bash_completion.d/muster",
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var commands = CommandTable.All.Where(c => !c.Hidden).ToList();
            call.Terminal.Out.Write(call.Arguments[0] switch
            {
                "bash" => Bash(commands),
                "zsh" => "#compdef muster\nautoload -U +X bashcompinit && bashcompinit\n" + Bash(commands),
                "fish" => Fish(commands),
                _ => throw new Core.MusterException(Core.ErrorKind.Usage, $"\"{call.Arguments[0]}\" is not one of bash, zsh, fish"),
            });
            return Task.FromResult(0);
        },
    };

    private static IEnumerable<IReadOnlyList<string>> Names(Command command) => command.Aliases.Prepend(command.Words);

    private static IEnumerable<string> OptionWords(Command command) =>
        command.Options.Concat(GlobalOptions.All).Select(o => "--" + o.Name + (o.Value is not null && o.BareValue is null ? "=" : "")).Distinct(StringComparer.Ordinal);

    private static string Bash(IReadOnlyList<Command> commands)
    {
        var text = new StringBuilder("# Completion of muster for bash, made by \"muster completion bash\".\n_muster() {\n  local word=${COMP_WORDS[COMP_CWORD]} first= second= i\n  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in -*) ;; *) if [[ -z $first ]]; then first=${COMP_WORDS[i]}; elif [[ -z $second ]]; then second=${COMP_WORDS[i]}; fi ;; esac\n  done\n  local words=\n  case \"$first $second\" in\n");
        foreach (var command in commands)
        {
            foreach (var name in Names(command))
            {
                text.Append("    \"").AppendJoin(' ', name).Append(name.Count > 1 ? "\"" : " \"*").Append(") words=\"").AppendJoin(' ', OptionWords(command)).Append("\" ;;\n");
            }
        }

        // Longer names first: bash takes the first pattern that matches.
        var body = text.ToString();
        var second = commands.SelectMany(Names).Where(n => n.Count > 1).GroupBy(n => n[0], StringComparer.Ordinal);
        var groups = new StringBuilder();
        foreach (var group in second)
        {
            groups.Append("    ").Append(group.Key).Append(") words+=\" ").AppendJoin(' ', group.Select(n => n[1])).Append("\" ;;\n");
        }

        return body + "  esac\n  if [[ -z $second ]]; then case \"$first\" in\n    \"\") words=\"" + string.Join(' ', commands.SelectMany(Names).Select(n => n[0]).Distinct(StringComparer.Ordinal))
            + "\" ;;\n" + groups + "  esac; fi\n  if [[ $word != -* && -n $first ]]; then\n    case $first in run|prepare|fetch) ;; *) words+=\" $(muster list -q --all 2>/dev/null)\" ;; esac\n    COMPREPLY=($(compgen -f -W \"$words\" -- \"$word\"))\n  else\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n  fi\n  [[ ${COMPREPLY-} == *= ]] && compopt -o nospace\n}\ncomplete -F _muster muster\n";
    }

    private static string Fish(IReadOnlyList<Command> commands)
    {
        var text = new StringBuilder("# Completion of muster for fish, made by \"muster completion fish\".\n");
        foreach (var command in commands)
        {
            var first = command.Words[0];
            if (command.Words.Count == 1)
            {
                text.Append($"complete -c muster -n __fish_use_subcommand -a {first} -d '{Quote(command.Summary)}'\n");
            }
            else
            {
                text.Append($"complete -c muster -n __fish_use_subcommand -a {first}\ncomplete -c muster -n '__fish_seen_subcommand_from {first}' -a {command.Words[1]} -d '{Quote(command.Summary)}'\n");
            }

            foreach (var option in command.Options.Concat(GlobalOptions.All))
            {
                text.Append($"complete -c muster -n '__fish_seen_subcommand_from {command.Words[^1]}' -l {option.Name}{(option.Short is { } letter ? " -s " + letter : "")}{(option.Value is null ? "" : " -r")} -d '{Quote(option.Help)}'\n");
            }
        }

        return text.ToString();
    }

    private static string Quote(string text) => text.Replace("'", "\\'", StringComparison.Ordinal);
}
