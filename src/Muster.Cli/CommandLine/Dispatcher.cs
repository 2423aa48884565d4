using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.CommandLine;

/// <summary>Finds the command that the words name, runs it and turns failures into exit statuses.</summary>
public sealed class Dispatcher
{
    /// <summary>Muster's own errors.</summary>
    public const int FailureStatus = 254;

    /// <summary>Wrong arguments.</summary>
    public const int UsageStatus = 2;

    /// <summary>Nobody reads the results any more: what a program says that SIGPIPE ended (128 + 13).</summary>
    public const int ReaderGoneStatus = 141;

    /// <summary>The status of a verb that a signal ended: 128 and the signal's number.</summary>
    public static int InterruptedStatus { get; set; } = 130;

    private readonly IReadOnlyList<CommandSection> _sections;
    private readonly IReadOnlyList<Command> _commands;
    private readonly Terminal _terminal;
    private bool _watching;

    /// <summary>A dispatcher over a table of commands.</summary>
    public Dispatcher(IReadOnlyList<CommandSection> sections, Terminal terminal)
    {
        _sections = sections;
        _commands = [.. sections.SelectMany(s => s.Commands)];
        _terminal = terminal;
    }

    /// <summary>Runs <paramref name="words"/> and returns the exit status.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken ct)
    {
        var debug = words.Contains("--debug", StringComparer.Ordinal);
        try
        {
            var status = await DispatchAsync(words, ct);
            FlushResults();
            return status;
        }
        catch (MusterException e)
        {
            _terminal.Say("muster: " + e.Message);
            if (debug)
            {
                _terminal.Say(e.ToString());
            }

            return StatusOf(e);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            if (!_watching)
            {
                _terminal.Say("muster: interrupted; nothing half-done was kept");
            }

            return InterruptedStatus;
        }
        catch (ReaderGoneException)
        {
            return ReaderGoneStatus;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(SystemFault.Sentence(e), e, debug);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Fail(SystemFault.Unforeseen(e), e, debug);
        }
    }

    private int Fail(string sentence, Exception fault, bool debug)
    {
        _terminal.Say("muster: " + sentence);
        if (debug)
        {
            _terminal.Say(fault.ToString());
        }

        return FailureStatus;
    }

    /// <summary>The exit status that stands for a failure.</summary>
    internal static int StatusOf(MusterException failure) => failure.ExitStatus ?? (failure.Kind == ErrorKind.Usage ? UsageStatus : FailureStatus);

    // Results that a full disk swallows are an error; a reader that has gone wanted no more of them.
    private void FlushResults()
    {
        try
        {
            _terminal.Flush();
        }
        catch (ReaderGoneException)
        {
            // As said.
        }
        catch (LinuxException e)
        {
            throw new MusterException(ErrorKind.Exhausted, $"Standard output takes no more ({e.Message}), so the results are incomplete: write them elsewhere", e);
        }
    }

    private async Task<int> DispatchAsync(IReadOnlyList<string> words, CancellationToken ct)
    {
        var (leading, rest) = SplitLeading(words);
        if (rest.Count > 1 && rest[0] is "--help" or "-h")
        {
            rest = [.. rest.Skip(1), "--help"];
        }

        if (rest.Count == 0 || (rest.Count == 1 && rest[0] is "--help" or "-h" or "help"))
        {
            (rest.Count == 0 && leading.Count == 0 ? _terminal.Error : _terminal.Out).Write(HelpText.Overview(_sections));
            return rest.Count == 0 && leading.Count == 0 ? UsageStatus : 0;
        }

        if (rest[0] == "--version")
        {
            rest = ["version"];
        }

        if (rest[0] == "help")
        {
            rest = [.. rest.Skip(1), "--help"];
        }

        if (rest.Count == 2 && rest[1] is "--help" or "-h" && Group(rest[0]) is { Count: > 0 } group)
        {
            _terminal.Out.Write(HelpText.Of(rest[0], group));
            return 0;
        }

        var (command, used) = Find(rest);
        var words2 = new List<string>(leading);
        words2.AddRange(rest.Skip(used));
        if (command.RawArguments)
        {
            var global = new ArgumentParser(command).Parse(leading).Values;
            return await RunAsync(command, global, [.. rest.Skip(used)], ct);
        }

        var (values, arguments) = new ArgumentParser(command).Parse(words2);
        if (values.ContainsKey("help"))
        {
            _terminal.Out.Write(HelpText.For(command));
            return 0;
        }

        if (arguments.Count < command.Arguments.Least || arguments.Count > command.Arguments.Most)
        {
            throw new MusterException(ErrorKind.Usage, arguments.Count < command.Arguments.Least
                ? $"Too few arguments: usage is muster {command.Name} {command.Usage}"
                : $"Argument \"{arguments[command.Arguments.Most]}\" is one too many: usage is muster {command.Name} {command.Usage}");
        }

        return await RunAsync(command, values, arguments, ct);
    }

    private async Task<int> RunAsync(Command command, Dictionary<string, List<string>> values, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        if (values.ContainsKey("filter") && !command.Lists)
        {
            throw new MusterException(ErrorKind.Usage, $"--filter chooses rows of a list, and \"muster {command.Name}\" prints none: leave it out");
        }

        _watching = command.Watches;
        return await command.Run(new Invocation(command, ResolveRoot(values), values, arguments, _terminal), ct);
    }

    /// <summary>The root that <c>--root</c> or MUSTER_ROOT names, with symbolic links resolved; the folder must exist.</summary>
    internal static MusterRoot ResolveRoot(Dictionary<string, List<string>> values)
    {
        var directory = values.TryGetValue("root", out var list) ? list[^1] : Environment.GetEnvironmentVariable("MUSTER_ROOT");
        if (string.IsNullOrEmpty(directory))
        {
            // An empty variable in a script must not lead to the system's own places.
            return directory is null || !values.ContainsKey("root")
                ? new MusterRoot(null)
                : throw new MusterException(ErrorKind.Usage, "--root names no folder: write --root=DIR, or leave it out for the system's places");
        }

        Directory.CreateDirectory(directory);
        return new MusterRoot(RealPath.Resolve(directory));
    }

    private (List<string> Leading, List<string> Words) SplitLeading(IReadOnlyList<string> words)
    {
        var leading = new List<string>();
        var i = 0;
        for (; i < words.Count && words[i].StartsWith('-') && words[i] is not ("--help" or "-h" or "--version"); i++)
        {
            leading.Add(words[i]);
            var option = GlobalOptions.All.FirstOrDefault(o => words[i] == "--" + o.Name);
            if (option?.Value is not null && i + 1 < words.Count)
            {
                leading.Add(words[++i]);
            }
        }

        return (leading, [.. words.Skip(i)]);
    }

    private (Command Command, int Used) Find(IReadOnlyList<string> words)
    {
        Command? best = null;
        var used = 0;
        foreach (var command in _commands)
        {
            foreach (var name in command.Aliases.Prepend(command.Words))
            {
                if (name.Count > used && name.Count <= words.Count && name.Select((w, i) => w == words[i]).All(same => same))
                {
                    (best, used) = (command, name.Count);
                }
            }
        }

        if (best is not null)
        {
            return (best, used);
        }

        var group = Group(words[0]);
        throw new MusterException(ErrorKind.Usage, group.Count > 0
            ? $"\"muster {words[0]}\" needs one of {string.Join(", ", group.Select(c => c.Words[1]))}: see muster {words[0]} --help"
            : $"\"{words[0]}\" is not a command of muster{Suggestion(words[0])}: see muster help");
    }

    // The commands that begin with a word which is none by itself: image, network, metric.
    private List<Command> Group(string word) =>
        _commands.Any(c => c.Words.Count == 1 && c.Words[0] == word) ? [] : [.. _commands.Where(c => !c.Hidden && c.Words.Count > 1 && c.Words[0] == word)];

    private string Suggestion(string word)
    {
        var nearest = _commands.Where(c => !c.Hidden).Select(c => (c.Name, Distance: Distance(c.Words[0], word))).OrderBy(c => c.Distance).FirstOrDefault();
        return nearest.Name is not null && nearest.Distance <= 2 ? $", did you mean \"{nearest.Name}\"?" : "";
    }

    private static int Distance(string a, string b)
    {
        if (a.Length > 32 || b.Length > 32)
        {
            return int.MaxValue;
        }

        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
