namespace Muster.Cli.CommandLine;

/// <summary>One option of a command, as help, completion and the man page show it.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Help">One sentence without a full stop.</param>
/// <param name="Value">The placeholder of its value, or null for a switch.</param>
public sealed record Option(string Name, string Help, string? Value = null)
{
    /// <summary>A one-letter form, or null.</summary>
    public char? Short { get; init; }

    /// <summary>True when it may be given more than once.</summary>
    public bool Repeatable { get; init; }

    /// <summary>True when a second one is refused: of two restrictions the reader would take both to hold.</summary>
    public bool Once { get; init; }

    /// <summary>What holds when it is not given; for help only.</summary>
    public string? Default { get; init; }

    /// <summary>The value that <c>--name</c> alone means where the value is optional (<c>--wait[=SECONDS]</c>); null when the value is required.</summary>
    public string? BareValue { get; init; }

    /// <summary>The only values taken, or none for any.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];
}
