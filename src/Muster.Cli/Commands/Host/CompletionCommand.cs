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
        var text = new StringBuilder("""
            # Completion of muster for bash, made by "muster completion bash".
            _muster() {
              local word=${COMP_WORDS[COMP_CWORD]} first= second= option= i
              local -a root=()
              for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in

            """);
        // Options with a value that may stand before the verb: their value is no verb. Bash makes a word of its own of "=".
        text.Append("      ").AppendJoin('|', GlobalOptions.All.Where(o => o.Value is not null).Select(o => "--" + o.Name)).Append("""
            ) option=${COMP_WORDS[i]}; [[ ${COMP_WORDS[i+1]-} == = ]] && ((i++)); ((i++)); [[ $option == --root && -n ${COMP_WORDS[i]-} && $i -lt $COMP_CWORD ]] && root=(--root "${COMP_WORDS[i]}") ;;
                  -*|=) ;;
                  *) if [[ -z $first ]]; then first=${COMP_WORDS[i]}; elif [[ -z $second ]]; then second=${COMP_WORDS[i]}; fi ;;
                esac
              done
              option=
              if [[ $word == = ]]; then option=${COMP_WORDS[COMP_CWORD-1]} word=; elif [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]-}; fi
              local words= files=-f
              case $option in

            """);
        foreach (var option in commands.SelectMany(c => c.Options).Concat(GlobalOptions.All).Where(o => o.Choices.Count > 0).GroupBy(o => o.Name, StringComparer.Ordinal))
        {
            text.Append("    --").Append(option.Key).Append(") COMPREPLY=($(compgen -W \"").AppendJoin(' ', option.SelectMany(o => o.Choices).Distinct(StringComparer.Ordinal)).Append("\" -- \"$word\")); return ;;\n");
        }

        text.Append("    --*) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n  esac\n  case \"$first $second\" in\n");
        foreach (var command in commands)
        {
            foreach (var name in Names(command))
            {
                text.Append("    \"").AppendJoin(' ', name).Append(name.Count > 1 ? "\"" : " \"*").Append(") words=\"").AppendJoin(' ', OptionWords(command)).Append("\" ;;\n");
            }
        }

        text.Append("  esac\n  if [[ -z $second ]]; then case \"$first\" in\n    \"\") words=\"").AppendJoin(' ', commands.SelectMany(Names).Select(n => n[0]).Distinct(StringComparer.Ordinal)).Append("\" files= ;;\n");
        foreach (var group in commands.SelectMany(Names).Where(n => n.Count > 1).GroupBy(n => n[0], StringComparer.Ordinal))
        {
            // A verb that is also the first word of others has arguments of its own.
            text.Append("    ").Append(group.Key).Append(") words+=\" ").AppendJoin(' ', group.Select(n => n[1])).Append(commands.Any(c => c.Words.Count == 1 && c.Words[0] == group.Key) ? "\" ;;\n" : "\" files= ;;\n");
        }

        return text.Append("""
              esac; fi
              if [[ $word != -* && -n $files ]]; then
                case $first in
                  image|images|push|rmi|run|prepare) words+=" $(muster "${root[@]}" image list --fields=reference --no-legend 2>/dev/null)" ;;
                  fetch|pull|build|trust|login|logout|completion|network|metric) ;;
                  *) words+=" $(muster "${root[@]}" list -q --all 2>/dev/null)" ;;
                esac
                COMPREPLY=($(compgen -f -W "$words" -- "$word"))
              else
                COMPREPLY=($(compgen -W "$words" -- "$word"))
              fi
              [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
            }
            complete -F _muster muster

            """).ToString();
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
