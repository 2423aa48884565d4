using Muster.Cli.CommandLine;
using Muster.Core;

namespace Muster.Cli.Commands.Pods;

/// <summary>One image of a command line with what was said behind it.</summary>
internal sealed record ImageWords(string Reference, Dictionary<string, List<string>> Values, IReadOnlyList<string>? Arguments);

/// <summary>
/// rkt's grammar of images: options of the pod, then images, each with options of its own, <c>--</c> and its arguments up to
/// <c>---</c> or the end (rkt Documentation, "rkt run").
/// </summary>
internal sealed class ImageGrammar
{
    private readonly Command _command;

    public ImageGrammar(Command command) => _command = command;

    /// <summary>What was said before the first image, or of the pod anywhere.</summary>
    public Dictionary<string, List<string>> Pod { get; } = new(StringComparer.Ordinal);

    public List<ImageWords> Images { get; } = [];

    /// <summary>Reads the words after the verb.</summary>
    public void Parse(IReadOnlyList<string> words)
    {
        var parser = new ArgumentParser(_command);
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "---")
            {
                continue;
            }

            if (word == "--")
            {
                i = TakeArguments(words, i + 1);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                i = parser.Read(words, i, Choose);
            }
            else
            {
                Images.Add(new ImageWords(word, new Dictionary<string, List<string>>(StringComparer.Ordinal), null));
            }
        }
    }

    // After an image an app's option is that app's; "name" is both the pod's and the app's.
    private Dictionary<string, List<string>> Choose(Option option) =>
        Images.Count > 0 && (option.Name == "name" || RunOptions.App.Any(o => o.Name == option.Name)) ? Images[^1].Values : Pod;

    private int TakeArguments(IReadOnlyList<string> words, int from)
    {
        if (Images.Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, "-- begins the arguments of an image's app, but no image stands before it");
        }

        var end = from;
        while (end < words.Count && words[end] != "---")
        {
            end++;
        }

        Images[^1] = Images[^1] with { Arguments = [.. words.Skip(from).Take(end - from)] };
        return end;
    }
}
