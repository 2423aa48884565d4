namespace Muster.Cli.CommandLine;

/// <summary>A verb: its words, its help and what it does. Help, completion and man pages are made from these values.</summary>
public sealed record Command
{
    /// <summary>The words after the program's name: <c>["image", "list"]</c>.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>Other words that mean the same: <c>["images"]</c>.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Aliases { get; init; } = [];

    /// <summary>One line for the list of commands.</summary>
    public required string Summary { get; init; }

    /// <summary>What stands after the words in the usage line: <c>[OPTION…] IMAGE…</c>.</summary>
    public string Usage { get; init; } = "";

    /// <summary>Paragraphs for help and the man page.</summary>
    public string Description { get; init; } = "";

    /// <summary>At least one example, a line each; lines that begin with # are remarks.</summary>
    public required string Example { get; init; }

    public IReadOnlyList<Option> Options { get; init; } = [];

    /// <summary>True when options and arguments are left as they are for the verb to read (the image grammar of run and prepare).</summary>
    public bool RawArguments { get; init; }

    /// <summary>True for verbs that print rows, of which <c>--filter</c> chooses.</summary>
    public bool Lists { get; init; }

    /// <summary>True for verbs that only our own programs call.</summary>
    public bool Hidden { get; init; }

    /// <summary>True when options end at the first argument, as in <c>enter POD COMMAND --flag</c>.</summary>
    public bool StopAtFirstArgument { get; init; }

    /// <summary>True for verbs that only look: interrupting them undoes nothing, so nothing is said of it.</summary>
    public bool Watches { get; init; }

    /// <summary>How many arguments it takes at least and at most.</summary>
    public (int Least, int Most) Arguments { get; init; } = (0, int.MaxValue);

    /// <summary>Runs the verb and returns its exit status.</summary>
    public required Func<Invocation, CancellationToken, Task<int>> Run { get; init; }

    /// <summary>The words joined by spaces.</summary>
    public string Name => string.Join(' ', Words);
}
