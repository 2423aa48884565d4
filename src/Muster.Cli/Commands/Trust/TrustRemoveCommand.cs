using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images.Trust;

namespace Muster.Cli.Commands.Trust;

/// <summary><c>muster trust rm</c>: ends the trust in a key.</summary>
internal static class TrustRemoveCommand
{
    /// <summary>Fewer digits than these could name a stranger's key by chance.</summary>
    private const int LeastDigits = 8;

    public static readonly Command Command = new()
    {
        Words = ["trust", "rm"],
        Summary = "End the trust in a key",
        Usage = "[--prefix PREFIX] FINGERPRINT",
        Description = """
            The key's file is deleted. Where the vendor's store has the key, an empty file of its name masks it instead.
            What the key signed stays in the store but is refused by the next prepare or run.
            FINGERPRINT may be shortened to at least 8 digits. Without --prefix the trust for every image is meant.
            """,
        Example = """
            muster trust rm --prefix example.com/team 8f2c1c0a
            """,
        Options = [new("prefix", "End the trust for images below PREFIX", "PREFIX")],
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var store = new TrustStore(call.Root);
            var prefix = call.Value("prefix")?.TrimEnd('/');
            // A file that cannot be used is what one may want to remove.
            var all = store.List(static _ => { });
            var id = Complete(call.Arguments[0].Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant(), prefix, all);
            var removal = store.Remove(id, prefix);
            if (call.Json)
            {
                Listing.WriteJson(call, new TrustRemoved(id, prefix, removal.Path, removal.Masked), TrustOutputJson.Default.TrustRemoved);
            }
            else
            {
                call.Terminal.Out.WriteLine(call.Quiet ? id : removal.Masked
                    ? $"The vendor's key {id} is now masked {TrustStore.Scoped(prefix)} by {removal.Path}"
                    : $"The key {id} is no longer trusted {TrustStore.Scoped(prefix)}: {removal.Path} was deleted");
            }

            if (!call.Quiet)
            {
                foreach (var other in store.List(static _ => { }).Where(k => k.Id == id && !k.IsMask && k.Prefix != prefix))
                {
                    call.Terminal.Warn($"the key {id} is still trusted {TrustStore.Scoped(other.Prefix)} ({other.Path})");
                }
            }

            return Task.FromResult(0);
        },
    };

    private static string Complete(string text, string? prefix, IReadOnlyList<TrustedKey> all)
    {
        if (text.Length is 40 or 64)
        {
            return text;
        }

        if (text.Length < LeastDigits)
        {
            throw new MusterException(ErrorKind.Usage, $"\"{text}\" is too short for a fingerprint: give at least {LeastDigits} digits");
        }

        var fitting = all.Where(k => k.Prefix == prefix && !k.IsMask && k.Id.StartsWith(text, StringComparison.Ordinal)).Select(k => k.Id).Distinct().ToList();
        if (fitting.Count == 1)
        {
            return fitting[0];
        }

        var elsewhere = all.Where(k => !k.IsMask && k.Id.StartsWith(text, StringComparison.Ordinal)).Select(k => k.Prefix is null ? "every image (without --prefix)" : $"--prefix {k.Prefix}").Distinct().ToList();
        throw new MusterException(fitting.Count > 1 ? ErrorKind.Invalid : ErrorKind.NotFound, fitting.Count > 1
            ? $"\"{text}\" begins {fitting.Count} trusted keys: give more digits"
            : $"No key \"{text}\" is trusted {TrustStore.Scoped(prefix)}{(elsewhere.Count > 0 ? ", but it is for " + string.Join(", ", elsewhere) : "")}: muster trust list shows the keys");
    }
}
