using System.Globalization;
using Muster.Cli.CommandLine;
using Muster.Images.Trust;

namespace Muster.Cli.Commands.Trust;

/// <summary><c>muster trust list</c>: every key and mask of the trust store.</summary>
internal static class TrustListCommand
{
    private static readonly IReadOnlyList<Column<TrustRow>> Columns =
    [
        new("key", row => row.Key),
        new("kind", row => row.Kind),
        new("prefix", row => row.Prefix ?? "(every image)"),
        new("signer", row => row.Signer ?? "-"),
        new("expires", row => row.Expires?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "never"),
        new("state", row => row.State),
    ];

    public static readonly Command Command = new()
    {
        Words = ["trust", "list"],
        Lists = true,
        Summary = "List the keys that may sign images",
        Usage = "[OPTION…]",
        Description = "A masked key is one whose trust an empty file of its name takes back for the prefix. The vendor's keys in /usr/lib/muster are listed too.",
        Example = """
            muster trust list
            muster trust list --filter prefix=example.com*
            """,
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var now = call.Time.GetUtcNow();
            var faults = new List<string>();
            var rows = new TrustStore(call.Root).List(faults.Add).Select(key => Row(key, now));
            if (call.Quiet && !call.Json)
            {
                foreach (var id in rows.Where(row => RowFilter.Fits(call, Columns, row)).Select(row => row.Key).Distinct())
                {
                    call.Terminal.Out.WriteLine(id);
                }
            }
            else
            {
                Listing.Write(call, rows, Columns, TrustOutputJson.Default.TrustRow);
            }

            // While one is there, nothing new is verified: that is an error, and the others are shown all the same.
            call.Terminal.Flush();
            foreach (var fault in faults)
            {
                call.Terminal.Say("muster: " + fault);
            }

            return Task.FromResult(faults.Count == 0 ? 0 : Dispatcher.FailureStatus);
        },
    };

    private static TrustRow Row(TrustedKey key, DateTimeOffset now)
    {
        if (key.Key is null)
        {
            return new TrustRow(key.Id, "mask", key.Prefix, null, null, null, "masked", key.Path);
        }

        if (key.Key.OpenPgp is not { } certificate)
        {
            return new TrustRow(key.Id, "cosign", key.Prefix, key.Key.Cosign!.Algorithm, null, null, "good", key.Path);
        }

        var state = certificate.Evaluate(now);
        return new TrustRow(key.Id, "openpgp", key.Prefix, state.Name, certificate.Created, state.Expires, state.Refusal ?? "good", key.Path);
    }
}
