namespace Muster.Cli.CommandLine;

/// <summary>Commands about one thing, under one heading of the help.</summary>
public sealed record CommandSection(string Title, IReadOnlyList<Command> Commands)
{
    /// <summary>Those that users are told of.</summary>
    public IEnumerable<Command> Shown => Commands.Where(c => !c.Hidden);
}
