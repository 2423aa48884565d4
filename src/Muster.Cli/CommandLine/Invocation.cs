using Muster.Core;

namespace Muster.Cli.CommandLine;

/// <summary>One call of a command: its parsed options and arguments and where its output goes.</summary>
public sealed class Invocation
{
    private readonly Dictionary<string, List<string>> _values;

    internal Invocation(Command command, MusterRoot root, Dictionary<string, List<string>> values, IReadOnlyList<string> arguments, Terminal terminal)
    {
        Command = command;
        Root = root;
        _values = values;
        Arguments = arguments;
        Terminal = terminal;
    }

    public Command Command { get; }

    public MusterRoot Root { get; }

    /// <summary>What is not an option; everything for a command with <see cref="Command.RawArguments"/>.</summary>
    public IReadOnlyList<string> Arguments { get; }

    public Terminal Terminal { get; }

    public TimeProvider Time => TimeProvider.System;

    /// <summary>True with <c>-q</c>.</summary>
    public bool Quiet => Has("quiet");

    /// <summary>True with <c>--debug</c>.</summary>
    public bool Debug => Has("debug");

    /// <summary>True with <c>--format=json</c>.</summary>
    public bool Json => Value("format") is "json";

    /// <summary>Every option that was given, by name.</summary>
    public Dictionary<string, List<string>> AllValues => _values;

    /// <summary>The same call with the options that the verb itself read (<see cref="Command.RawArguments"/>).</summary>
    public Invocation With(Dictionary<string, List<string>> values)
    {
        foreach (var (name, list) in _values)
        {
            values.TryAdd(name, list);
        }

        return new Invocation(Command, values.ContainsKey("root") && !_values.ContainsKey("root") ? Dispatcher.ResolveRoot(values) : Root, values, Arguments, Terminal);
    }

    /// <summary>Writes a warning to standard error, unless the call is quiet.</summary>
    public void Warn(string text)
    {
        if (!Quiet)
        {
            Terminal.Warn(text);
        }
    }

    /// <summary>Whether the option was given.</summary>
    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>The option's last value, or null.</summary>
    public string? Value(string name) => _values.TryGetValue(name, out var list) ? list[^1] : null;

    /// <summary>All values of a repeatable option, in order.</summary>
    public IReadOnlyList<string> Values(string name) => _values.TryGetValue(name, out var list) ? list : [];

    /// <summary>The option as a whole number within bounds, or <paramref name="otherwise"/>.</summary>
    public long Number(string name, long otherwise, long least, long most)
    {
        if (Value(name) is not { } text)
        {
            return otherwise;
        }

        return long.TryParse(text, out var number) && number >= least && number <= most
            ? number
            : throw new MusterException(ErrorKind.Usage, $"--{name}={text} is not a whole number from {least} to {most}");
    }

    /// <summary>The option as a length of time (<c>90s</c>, <c>30m</c>, <c>24h</c>, <c>7d</c>, or plain seconds), or <paramref name="otherwise"/>.</summary>
    public TimeSpan Duration(string name, TimeSpan otherwise) => Value(name) is { } text ? Durations.Parse(text, "--" + name) : otherwise;
}
