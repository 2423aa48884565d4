using Muster.Cli.CommandLine;

namespace Muster.Cli.Commands.Host;

/// <summary><c>muster completion</c>: scripts that ask muster itself (<see cref="CompletionWords"/>) for what may stand at the cursor.</summary>
internal static class CompletionCommand
{
    // Bash makes words of their own of "=" and ":", which are joined again; what it replaces is only the last piece.
    private const string Bash = """
        # Completion of muster for bash, made by "muster completion bash".
        _muster() {
          local line=$COMP_LINE piece blanks word i
          local -a words=() found=()
          for ((i = 0; i <= COMP_CWORD; i++)); do
            piece=${COMP_WORDS[i]}
            blanks=${line%%[![:blank:]]*}
            line=${line#"$blanks"}
            line=${line#"$piece"}
            if [[ $i -gt 0 && -z $blanks ]]; then words[${#words[@]}-1]+=$piece; else words+=("$piece"); fi
          done
          local current=${words[${#words[@]}-1]}
          [[ $piece != [=:] ]] || piece=
          mapfile -t found < <(muster internal-complete "${words[@]:1}" 2>/dev/null)
          COMPREPLY=()
          for word in "${found[@]:1}"; do
            word=${word%%$'\t'*}
            COMPREPLY+=("${word#"${current%"$piece"}"}")
          done
          # Where a name is to be finished behind its ":", all of this folder's files would be in its way.
          if [[ ${found[0]-} == files* && ( -n $piece || $current != *: || ${#COMPREPLY[@]} -eq 0 ) ]]; then
            [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o filenames
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$piece")
          fi
          [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace
        }
        complete -F _muster muster

        """;

    private const string Zsh = """
        #compdef muster
        # Completion of muster for zsh, made by "muster completion zsh".
        _muster() {
          local line word
          local -a lines whole open
          lines=("${(@f)$(muster internal-complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
          for line in "${(@)lines[2,-1]}"; do
            word=${${line%%$'\t'*}//:/\\:}
            [[ $line != *$'\t'* ]] || word+=:${line#*$'\t'}
            # Something follows these without a space.
            if [[ ${line%%$'\t'*} == *[=:] ]]; then open+=("$word"); else whole+=("$word"); fi
          done
          local ret=1
          (( ! $#whole )) || { _describe -t words muster whole && ret=0 }
          (( ! $#open )) || { _describe -t words muster open -S '' && ret=0 }
          if [[ $lines[1] == files* ]]; then
            line=${lines[1]#*$'\t'}
            [[ -z $line ]] || compset -P "${(b)line}"
            _files && ret=0
          fi
          return ret
        }
        # Loaded by its name it is being called; read as a script it only makes itself known.
        if [[ $funcstack[1] == _muster ]]; then _muster "$@"; else compdef _muster muster; fi

        """;

    private const string Fish = """
        # Completion of muster for fish, made by "muster completion fish".
        function __muster_complete
            set -l before (commandline -opc)
            set -l current (commandline -ct)
            set -l lines (muster internal-complete $before[2..] "$current" 2>/dev/null)
            printf '%s\n' $lines[2..]
            if string match -q 'files*' -- "$lines[1]"
                set -l lead (string split -m 1 \t -- $lines[1])[2]
                for file in (__fish_complete_path (string replace -- "$lead" '' "$current"))
                    printf '%s\n' "$lead$file"
                end
            end
        end
        complete -c muster -f -a '(__muster_complete)'

        """;

    public static readonly Command Command = new()
    {
        Words = ["completion"],
        Summary = "Print the completion script for a shell",
        Usage = "bash|zsh|fish",
        Description = "The script asks muster for verbs, options and the names of pods, images and networks at every completion.",
        Example = """
            muster completion bash > /etc/bash_completion.d/muster
            muster completion zsh > /usr/local/share/zsh/site-functions/_muster
            muster completion fish > /etc/fish/completions/muster.fish
            """,
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            call.Terminal.Out.Write(call.Arguments[0] switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => throw new Core.MusterException(Core.ErrorKind.Usage, $"\"{call.Arguments[0]}\" is not one of bash, zsh, fish"),
            });
            return Task.FromResult(0);
        },
    };
}
