using Muster.Core;

namespace Muster.Cli.CommandLine;

/// <summary>
/// Reads a command's options in GNU form: <c>--name=value</c>, <c>--name value</c>, <c>-x value</c>, <c>-xvalue</c>,
/// bundled one-letter switches, <c>--</c> to end options. Written here because rkt's image grammar (options after each
/// image, <c>--</c> and <c>---</c>) fits no library and because the time it takes is paid at every run.
/// </summary>
public sealed class ArgumentParser
{
    /// <summary>The most arguments taken: the kernel's own limit on a command line is near 2 MiB.</summary>
    public const int MaxArguments = 100_000;

    private readonly Command _command;

    /// <summary>A parser for one command's options and the global ones.</summary>
    public ArgumentParser(Command command) => _command = command;

    /// <summary>Splits <paramref name="words"/> into option values and arguments, or refuses them with a sentence.</summary>
    public (Dictionary<string, List<string>> Values, List<string> Arguments) Parse(IReadOnlyList<string> words)
    {
        var values = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var arguments = new List<string>();
        if (words.Count > MaxArguments)
        {
            throw new MusterException(ErrorKind.Usage, $"More than {MaxArguments} arguments were given");
        }

        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--")
            {
                arguments.AddRange(words.Skip(i + 1));
                break;
            }

            if (word.Length < 2 || word[0] != '-')
            {
                arguments.Add(word);
                if (_command.StopAtFirstArgument && arguments.Count >= Math.Max(1, _command.Arguments.Least))
                {
                    arguments.AddRange(words.Skip(i + 1));
                    break;
                }

                continue;
            }

            i = Read(words, i, _ => values);
        }

        return (values, arguments);
    }

    /// <summary>Reads the option at <paramref name="i"/> into the values that <paramref name="into"/> chooses for it; returns the index of its last word.</summary>
    public int Read(IReadOnlyList<string> words, int i, Func<Option, Dictionary<string, List<string>>> into) =>
        words[i].StartsWith("--", StringComparison.Ordinal) ? Long(words, i, into) : Letters(words, i, into);

    /// <summary>Finds an option of the command or a global one by its long name.</summary>
    public Option? Find(string name) =>
        _command.Options.FirstOrDefault(o => o.Name == name) ?? GlobalOptions.All.FirstOrDefault(o => o.Name == name);

    private Option? Find(char letter) =>
        _command.Options.FirstOrDefault(o => o.Short == letter) ?? GlobalOptions.All.FirstOrDefault(o => o.Short == letter);

    private int Long(IReadOnlyList<string> words, int i, Func<Option, Dictionary<string, List<string>>> into)
    {
        var word = words[i];
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word[2..] : word[2..equals];
        var option = Find(name) ?? throw Unknown("--" + name);
        if (option.Value is null)
        {
            switch (equals < 0 ? "true" : word[(equals + 1)..])
            {
                case "true":
                    Store(into(option), option, "true");
                    break;
                case "false":
                    into(option).Remove(option.Name);
                    break;
                default:
                    throw new MusterException(ErrorKind.Usage, $"--{name} is a switch and takes no value but true or false");
            }

            return i;
        }

        if (equals >= 0)
        {
            Store(into(option), option, word[(equals + 1)..]);
        }
        else if (option.BareValue is { } bare)
        {
            Store(into(option), option, bare);
        }
        else
        {
            Store(into(option), option, Next(words, ++i, option));
        }

        return i;
    }

    private int Letters(IReadOnlyList<string> words, int i, Func<Option, Dictionary<string, List<string>>> into)
    {
        var word = words[i];
        for (var at = 1; at < word.Length; at++)
        {
            var option = Find(word[at]) ?? throw Unknown("-" + word[at]);
            if (option.Value is null)
            {
                Store(into(option), option, "true");
                continue;
            }

            var rest = word[(at + 1)..].TrimStart('=');
            Store(into(option), option, rest.Length > 0 ? rest : option.BareValue ?? Next(words, ++i, option));
            break;
        }

        return i;
    }

    private static string Next(IReadOnlyList<string> words, int i, Option option) => i < words.Count
        ? words[i]
        : throw new MusterException(ErrorKind.Usage, $"--{option.Name} needs a value: --{option.Name}={option.Value}");

    private static void Store(Dictionary<string, List<string>> values, Option option, string value)
    {
        if (option.Choices.Count > 0 && !option.Choices.Contains(value, StringComparer.Ordinal))
        {
            throw new MusterException(ErrorKind.Usage, $"--{option.Name}={value} is not one of {string.Join(", ", option.Choices)}");
        }

        if (values.TryGetValue(option.Name, out var list))
        {
            if (option.Once)
            {
                throw new MusterException(ErrorKind.Usage, $"--{option.Name} is given twice: put all of it into one");
            }

            if (!option.Repeatable)
            {
                list.Clear();
            }

            list.Add(value);
        }
        else
        {
            values.Add(option.Name, [value]);
        }
    }

    private MusterException Unknown(string option) =>
        new(ErrorKind.Usage, $"\"muster {_command.Name}\" has no option {option}: see muster {_command.Name} --help");
}
