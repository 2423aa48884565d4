namespace Muster.Cli.CommandLine;

/// <summary>A word that may stand where the cursor is, and what it means.</summary>
internal sealed record Candidate(string Word, string? Meaning)
{
    /// <summary>Another word for the same, for those who have begun to write it.</summary>
    public string? Otherwise { get; init; }
}

/// <summary>Things of a root whose names complete a word.</summary>
internal enum Named
{
    Pod,
    Image,
    Network,
    Key,
}

/// <summary>
/// What may stand where the cursor is on a command line: verbs, options, their values, and the names of what there is. The shells ask
/// for it at every completion, so that all of them know the same.
/// </summary>
internal sealed class WordCompletion
{
    private readonly IReadOnlyList<Command> _commands;
    private readonly Func<Named, string?, IEnumerable<Candidate>> _names;
    private readonly List<Candidate> _found = [];
    private string? _root;

    /// <param name="commands">Those that are shown.</param>
    /// <param name="names">The names of one kind in the root that is given, or in the caller's own for null.</param>
    public WordCompletion(IReadOnlyList<Command> commands, Func<Named, string?, IEnumerable<Candidate>> names)
    {
        _commands = commands;
        _names = names;
    }

    /// <summary>Where the name of a file may stand as well: what is written before it in the same word (<c>--option=</c>, <c>oci:</c>, or nothing); else null.</summary>
    public string? FilesBehind { get; private set; }

    /// <summary>Every candidate, whether or not it begins as <paramref name="current"/> does.</summary>
    /// <param name="before">The words between the program's name and the word with the cursor.</param>
    /// <param name="current">That word, up to the cursor.</param>
    public IReadOnlyList<Candidate> Complete(IReadOnlyList<string> before, string current)
    {
        if (Leading(before, current) is not { } words)
        {
            return _found;
        }

        var helps = words is ["help", ..];
        words = helps ? [.. words.Skip(1)] : words;
        var (command, used) = Find(words);
        if (words.Count < 2)
        {
            Verbs(words, isFirst: words.Count == 0 && !helps);
        }

        if (command is not null && !helps)
        {
            Behind(command, [.. words.Skip(used)], current);
        }
        else if (words.Count == 0 && !helps && current.StartsWith('-'))
        {
            Options(GlobalOptions.All, current);
        }

        return _found;
    }

    /// <summary>The arguments in a usage line, in order; behind one that repeats comes the same again.</summary>
    internal static IReadOnlyList<string> Places(Command command) =>
    [
        .. command.Usage.Split(" | ")[0].Split(' ')
            .Where(w => w.Length > 0 && !w.Contains("OPTION", StringComparison.Ordinal) && !w.Contains("--", StringComparison.Ordinal) && w.Count(c => c == '[') == w.Count(c => c == ']')),
    ];

    // The words from the verb on; null when the word with the cursor is the value of an option before it.
    private List<string>? Leading(IReadOnlyList<string> before, string current)
    {
        var i = 0;
        for (; i < before.Count && before[i].StartsWith('-'); i++)
        {
            var option = GlobalOptions.All.FirstOrDefault(o => before[i] == "--" + o.Name);
            if (option?.Value is null)
            {
                NoteRoot(before[i]);
                continue;
            }

            if (i + 1 == before.Count)
            {
                Value(option, "");
                return null;
            }

            i++;
            _root = option == GlobalOptions.Root ? before[i] : _root;
        }

        return [.. before.Skip(i)];
    }

    private void NoteRoot(string word)
    {
        if (word.StartsWith("--root=", StringComparison.Ordinal))
        {
            _root = word["--root=".Length..];
        }
    }

    private (Command? Command, int Used) Find(IReadOnlyList<string> words)
    {
        Command? best = null;
        var used = 0;
        foreach (var command in _commands)
        {
            foreach (var name in command.Aliases.Prepend(command.Words).Where(n => n.Count > used && n.Count <= words.Count && n.SequenceEqual(words.Take(n.Count))))
            {
                (best, used) = (command, name.Count);
            }
        }

        return (best, used);
    }

    private void Verbs(IReadOnlyList<string> words, bool isFirst)
    {
        var names = _commands.SelectMany(c => c.Aliases.Prepend(c.Words).Select(n => (Name: n, c.Summary))).Where(n => n.Name.Count > words.Count && n.Name.Take(words.Count).SequenceEqual(words));
        foreach (var same in names.GroupBy(n => n.Name[words.Count], StringComparer.Ordinal))
        {
            // Of a word that begins several verbs, the one that it is alone says most.
            var one = same.FirstOrDefault(n => n.Name.Count == words.Count + 1);
            _found.Add(new Candidate(same.Key, one.Name is not null ? one.Summary : string.Join(", ", same.Select(n => n.Name[^1]))));
        }

        if (isFirst)
        {
            _found.Add(new Candidate("help", "Show help, of a verb when one is named"));
        }
    }

    private void Behind(Command command, IReadOnlyList<string> given, string current)
    {
        var parser = new ArgumentParser(command);
        var arguments = 0;
        var ended = false;
        for (var i = 0; i < given.Count; i++)
        {
            var word = given[i];
            if (TakesImages(command) && word == "---")
            {
                ended = false;
            }
            else if (!ended && word == "--")
            {
                ended = true;
            }
            else if (!ended && word.Length > 1 && word[0] == '-')
            {
                NoteRoot(word);
                if (Awaiting(parser, command, word) is { } option)
                {
                    if (i + 1 == given.Count)
                    {
                        Value(option, "");
                        return;
                    }

                    i++;
                    _root = option == GlobalOptions.Root ? given[i] : _root;
                }
            }
            else
            {
                arguments++;
                ended |= command.StopAtFirstArgument && arguments >= Math.Max(1, command.Arguments.Least);
            }
        }

        if (ended && (TakesImages(command) || command.StopAtFirstArgument))
        {
            // These words are for a program inside the pod.
            return;
        }

        if (!ended && current.StartsWith('-'))
        {
            Options(AllOptions(command), current);
        }
        else
        {
            Argument(command, arguments, current);
        }
    }

    // The grammar of images, whose usage line is no list of arguments.
    private static bool TakesImages(Command command) => command.RawArguments && command.Usage.Contains("---", StringComparison.Ordinal);

    // The option whose value is the next word.
    private static Option? Awaiting(ArgumentParser parser, Command command, string word)
    {
        var option = word.StartsWith("--", StringComparison.Ordinal) ? parser.Find(word[2..]) : AllOptions(command).FirstOrDefault(o => o.Short == word[^1]);
        return option is { Value: not null, BareValue: null } ? option : null;
    }

    private static IEnumerable<Option> AllOptions(Command command) =>
        command.Options.Concat(GlobalOptions.All.Where(o => command.Lists || o != GlobalOptions.Filter)).DistinctBy(o => o.Name);

    private void Options(IEnumerable<Option> options, string current)
    {
        var equals = current.IndexOf('=', StringComparison.Ordinal);
        foreach (var option in options)
        {
            if (equals >= 0)
            {
                if (current[..equals] == "--" + option.Name && option.Value is not null)
                {
                    Value(option, current[..(equals + 1)]);
                }

                continue;
            }

            _found.Add(new Candidate("--" + option.Name + (option.Value is not null && option.BareValue is null ? "=" : ""), option.Help));
            if (option.Short is { } letter && current.Length < 2)
            {
                _found.Add(new Candidate("-" + letter, option.Help));
            }
        }
    }

    private void Value(Option option, string lead)
    {
        IEnumerable<Candidate> Words(params IEnumerable<string> words) => words.Select(w => new Candidate(w, null));
        var found = option.Choices.Count > 0 ? Words(option.Choices)
            : option.Name == "net" ? Words("none", "host").Concat(_names(Named.Network, _root))
            : option.Name == "runtime" ? Words("crun", "runc")
            : [];
        _found.AddRange(found.Select(c => c with { Word = lead + c.Word }));
        // The path of a program or of a folder in an app is none of this host's.
        if (option.Choices.Count == 0 && IsPath(option.Value!) && option.Name is not ("exec" or "working-dir"))
        {
            FilesBehind = lead;
        }
    }

    private void Argument(Command command, int index, string current)
    {
        var places = Places(command);
        var place = TakesImages(command) ? "IMAGE"
            : index < places.Count ? places[index]
            : places.Count > 0 && places[^1].Contains('…', StringComparison.Ordinal) ? places[^1]
            : "";
        switch (place.Trim('[', ']', '…'))
        {
            case "POD":
                Pods(current, "");
                break;
            case "POD:PATH" or "TARGET":
                // Behind the colon is a path in the pod.
                if (!current.Contains(':', StringComparison.Ordinal))
                {
                    Pods(current, ":");
                    FilesBehind = "";
                }

                break;
            case "IMAGE":
                _found.AddRange(_names(Named.Image, _root));
                // What is fetched may be a file.
                FilesBehind = TakesImages(command) || command.Name is "fetch" or "image copy" ? Transport(current) : null;
                break;
            case "NAME" when command.Words[0] == "network" && command.Words[^1] != "create":
                _found.AddRange(_names(Named.Network, _root));
                break;
            case "FINGERPRINT":
                _found.AddRange(_names(Named.Key, _root));
                break;
            case var words when words.Contains('|', StringComparison.Ordinal) && words.All(c => char.IsAsciiLetterLower(c) || c == '|'):
                _found.AddRange(words.Split('|').Select(w => new Candidate(w, null)));
                break;
            case var path when IsPath(path) || path is "DESTINATION" or "OUT.aci" or "KEY":
                FilesBehind = Transport(current);
                break;
        }
    }

    // "oci:" and the like stand before a file's name.
    private static string Transport(string current) => Array.Find(["oci:", "oci-archive:", "docker-archive:"], t => current.StartsWith(t, StringComparison.Ordinal)) ?? "";

    private void Pods(string current, string tail)
    {
        foreach (var pod in _names(Named.Pod, _root))
        {
            var word = current.Length > 0 && pod.Otherwise?.StartsWith(current, StringComparison.Ordinal) == true ? pod.Otherwise : pod.Word;
            _found.Add(pod with { Word = word + tail });
        }
    }

    private static bool IsPath(string placeholder) =>
        !placeholder.StartsWith("HOST", StringComparison.Ordinal) && Array.Exists(["FILE", "DIR", "PATH", "ARCHIVE"], w => placeholder.Contains(w, StringComparison.Ordinal));
}
