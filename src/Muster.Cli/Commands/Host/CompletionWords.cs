using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;
using Muster.Images.Trust;
using Muster.Linux;
using Muster.Network;

namespace Muster.Cli.Commands.Host;

/// <summary>
/// What the completion scripts ask: the words behind <c>muster</c>, the last one with the cursor. The first line of the answer says whether
/// the names of files fit as well (<c>files</c>, a tab, and what stands before them in the word; else <c>words</c>), each other one is a word,
/// a tab and its meaning.
/// </summary>
internal static class CompletionWords
{
    public static readonly Command Command = new()
    {
        Words = ["internal-complete"],
        Summary = "Print what may stand at the end of a command line",
        Usage = "WORD…",
        Example = "muster internal-complete image li",
        Hidden = true,
        RawArguments = true,
        Run = (call, _) =>
        {
            var words = call.Arguments;
            var completion = new WordCompletion([.. CommandTable.All.Where(c => !c.Hidden)], (kind, root) => Names(call, kind, root));
            var found = completion.Complete([.. words.SkipLast(1)], words.Count > 0 ? words[^1] : "");
            call.Terminal.Out.WriteLine(completion.FilesBehind is { } lead ? "files\t" + lead : "words");
            foreach (var candidate in found.Where(c => words.Count == 0 || c.Word.StartsWith(words[^1], StringComparison.Ordinal)))
            {
                call.Terminal.Out.WriteLine(candidate.Meaning is { Length: > 0 } meaning ? $"{candidate.Word}\t{OneLine(meaning)}" : candidate.Word);
            }

            return Task.FromResult(0);
        },
    };

    // Where there is nothing to read or it may not be read there are no names; a completion says no more than that.
    private static IReadOnlyList<Candidate> Names(Invocation call, Named kind, string? folder)
    {
        try
        {
            var root = folder is null ? call.Root : Directory.Exists(folder) ? new MusterRoot(RealPath.Resolve(folder)) : null;
            return root is null ? [] : kind switch
            {
                Named.Pod => [.. Pods(new PodStore(root))],
                Named.Image => [.. new ImageStore(root, call.Time).List().Select(i => new Candidate(i.Reference.Reference, null)).DistinctBy(c => c.Word)],
                Named.Network => [.. new NetworkOverview(root).List(_ => { }).Select(n => new Candidate(n.Name, string.Join(' ', n.Subnets.Prepend(n.Kind))))],
                Named.Key => [.. new TrustStore(root).List(_ => { }).Select(k => new Candidate(k.Id, k.Prefix)).DistinctBy(c => c.Word)],
                _ => [],
            };
        }
        catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<Candidate> Pods(PodStore store)
    {
        foreach (var pod in store.All())
        {
            using (pod)
            {
                Candidate? found = null;
                if (PodStore.IsBeingCleared(pod))
                {
                    continue;
                }

                try
                {
                    var view = store.View(pod);
                    found = view.Owner != "cli" ? null : new Candidate(view.Name ?? view.Uuid, $"{view.State.ToString().ToLowerInvariant()}, {string.Join(' ', view.Apps.Select(a => a.Image).Distinct())}") { Otherwise = view.Uuid };
                }
                catch (Exception e) when (e is MusterException or IOException)
                {
                    // Half made, or removed while we looked.
                }

                if (found is not null)
                {
                    yield return found;
                }
            }
        }
    }

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
