using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images.Discovery;
using Muster.Images.Http;
using Muster.Images.Trust;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Cli.Commands.Trust;

/// <summary><c>muster trust</c>: takes keys into the trust store after a look at their fingerprints.</summary>
internal static class TrustCommand
{
    /// <summary>The largest key file: a key with a thousand certifications.</summary>
    private const int MaxKeyBytes = 1 << 20;

    // --root is a switch here, as in rkt, and the folder everywhere else: hence the verb reads its own words.
    private static readonly Option EveryImage = new("root", "Trust the key for every image. (The folder goes before the verb: muster --root DIR trust …)");

    public static readonly Command Command = new()
    {
        Words = ["trust"],
        Summary = "Trust a key to sign images",
        Usage = "--prefix PREFIX|--root [OPTION…] [KEY…]",
        Description = """
            A KEY is a file or an https address of an armoured OpenPGP public key, or of a public key as cosign writes it.
            Without KEY the site of PREFIX is asked for its keys (meta tag ac-discovery-pubkeys).
            The key's fingerprint is shown and must be confirmed on the terminal, unless --skip-fingerprint-review is given.
            --root after the verb trusts the key for every image; the folder of that name goes before the verb.
            """,
        Example = """
            muster trust --prefix example.com/team ./team.asc
            # a registry's images, with a key of cosign's
            muster trust --prefix registry.example.com:5000/app ./cosign.pub
            # keys that the site itself names
            muster trust --prefix example.com
            """,
        Options =
        [
            new("prefix", "Trust the key for images whose name begins with PREFIX, by whole path components", "PREFIX"),
            new("skip-fingerprint-review", "Do not ask: the key is known to be the right one"),
            new("insecure-allow-http", "Take pages and keys over plain http too"),
        ],
        RawArguments = true,
        Run = RunAsync,
    };

    private static async Task<int> RunAsync(Invocation raw, CancellationToken ct)
    {
        var command = Command with { Options = [.. Command.Options, EveryImage] };
        var (values, arguments) = Parse(command, raw.Arguments);
        if (values.ContainsKey("help"))
        {
            raw.Terminal.Out.Write(HelpText.For(command));
            return 0;
        }

        // The global options before the verb hold too.
        foreach (var option in GlobalOptions.All)
        {
            if (option.Name != "root" && raw.Has(option.Name))
            {
                values.TryAdd(option.Name, [.. raw.Values(option.Name)]);
            }
        }

        var call = new Invocation(command, raw.Root, values, arguments, raw.Terminal);
        var prefix = call.Value("prefix")?.TrimEnd('/');
        if ((prefix is null) == !call.Has("root"))
        {
            throw new MusterException(ErrorKind.Usage, "Either --prefix=PREFIX or --root says for which images the key counts: give one of them (for the folder, write muster --root DIR trust …)");
        }

        if (prefix is not null && TrustStore.Components(prefix).Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, "--prefix is empty: name one, or use --root for every image");
        }

        using var web = new HttpFetcher(call.Root, new WebOptions { AllowHttp = call.Has("insecure-allow-http") }, call.Time);
        var keys = await LoadAsync(call, prefix, web, ct);
        var store = new TrustStore(call.Root);
        var known = store.List();
        // All are looked at before the first is taken: a refusal leaves everything as it was.
        var taken = new List<(PublicKeyFile Key, bool IsRevoked)>();
        foreach (var (key, from) in keys)
        {
            RefuseResurrection(call, key, from, known);
            var revoked = IsRevocation(call, key, prefix, known);
            if (!revoked)
            {
                Review(call, key, from, prefix, ct);
            }

            taken.Add((key, revoked));
        }

        Report(call, [.. taken.Select(t => new TrustAdded(t.Key.Id, t.Key.Kind, prefix, store.Add(t.Key, prefix), t.IsRevoked))]);
        return 0;
    }

    private static (Dictionary<string, List<string>> Values, List<string> Arguments) Parse(Command command, IReadOnlyList<string> words)
    {
        try
        {
            return new ArgumentParser(command).Parse(words);
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Usage && words.Any(w => w.StartsWith("--root=", StringComparison.Ordinal)))
        {
            throw new MusterException(ErrorKind.Usage, "After trust, --root is the switch that trusts a key for every image: write the folder before the verb, muster --root DIR trust …", e);
        }
    }

    private static async Task<List<(PublicKeyFile Key, string From)>> LoadAsync(Invocation call, string? prefix, HttpFetcher web, CancellationToken ct)
    {
        var keys = new List<(PublicKeyFile Key, string From)>();
        if (call.Arguments.Count == 0)
        {
            if (prefix is null)
            {
                throw new MusterException(ErrorKind.Usage, "Without a KEY only --prefix can be asked for its keys: give a key's file or https address");
            }

            foreach (var address in await new ImageDiscovery(web).FindKeysAsync(prefix, ct))
            {
                keys.Add((await DownloadAsync(web, address, ct), HttpFetcher.Shown(address)));
            }
        }

        foreach (var argument in call.Arguments)
        {
            keys.Add((argument.StartsWith("https://", StringComparison.Ordinal) || argument.StartsWith("http://", StringComparison.Ordinal)
                ? await DownloadAsync(web, new Uri(argument), ct)
                : PublicKeyFile.Parse(GivenFile.Read(argument, "a public key", MaxKeyBytes), argument), argument));
        }

        return keys;
    }

    private static async Task<PublicKeyFile> DownloadAsync(HttpFetcher web, Uri address, CancellationToken ct)
    {
        var document = await web.GetAsync(address, MaxKeyBytes, null, ct)
            ?? throw new MusterException(ErrorKind.NotFound, $"{HttpFetcher.Shown(address)} does not exist there (404): check the address");
        return PublicKeyFile.Parse(document.Bytes, HttpFetcher.Shown(address));
    }

    /// <summary>
    /// Whether this is a key that is trusted for the prefix already and now comes with its revocation: taking it only takes
    /// trust away, so nobody needs to be asked.
    /// </summary>
    private static bool IsRevocation(Invocation call, PublicKeyFile key, string? prefix, IReadOnlyList<TrustedKey> known) =>
        IsRevoked(call, key) && known.Any(k => k.Id == key.Id && k.Prefix == prefix && !k.IsMask);

    private static bool IsRevoked(Invocation call, PublicKeyFile key) =>
        key.OpenPgp is { } certificate && OpenPgpCertificate.MentionsRevocation(System.Text.Encoding.ASCII.GetBytes(key.Text))
        && certificate.Evaluate(call.Time.GetUtcNow()).Refusal is not null;

    /// <summary>An older copy of a key must not undo a revocation that the store knows of.</summary>
    private static void RefuseResurrection(Invocation call, PublicKeyFile key, string from, IReadOnlyList<TrustedKey> known)
    {
        if (known.FirstOrDefault(k => k.Id == key.Id && k.Key is not null && IsRevoked(call, k.Key)) is { } revoked && !IsRevoked(call, key))
        {
            throw new MusterException(ErrorKind.Forbidden, $"The key {key.Id} of {from} is an older copy: {revoked.Path} holds its revocation, so ask its owner for a new key");
        }
    }

    private static void Review(Invocation call, PublicKeyFile key, string from, string? prefix, CancellationToken ct)
    {
        var lines = Describe(key, from, call.Time, out var refusal);
        if (refusal is not null)
        {
            throw new MusterException(ErrorKind.Forbidden, $"The key {key.Id} of {from} is not taken, because {refusal}: ask its owner for a current one");
        }

        if (call.Has("skip-fingerprint-review"))
        {
            return;
        }

        if (!StandardInput.IsTerminal)
        {
            throw new MusterException(ErrorKind.Forbidden, $"The key {key.Id} of {from} must be reviewed on a terminal: run this there, or add --skip-fingerprint-review once you have compared the fingerprint");
        }

        foreach (var line in lines)
        {
            call.Terminal.Say(line);
        }

        var question = $"Compare the fingerprint with what its owner says. Trust this key {TrustStore.Scoped(prefix)}? [yes/no] ";
        if (StandardInput.Ask(call.Terminal, question, hidden: false, ct)?.Trim() is not ("yes" or "y" or "Yes" or "YES"))
        {
            throw new MusterException(ErrorKind.Forbidden, $"The key {key.Id} was not confirmed: nothing was changed for it");
        }
    }

    private static List<string> Describe(PublicKeyFile key, string from, TimeProvider time, out string? refusal)
    {
        refusal = null;
        if (key.OpenPgp is not { } certificate)
        {
            return [$"cosign key from {from}", $"  fingerprint  {Grouped(key.Id)}", $"  algorithm    {key.Cosign!.Algorithm}"];
        }

        var state = certificate.Evaluate(time.GetUtcNow());
        refusal = state.Refusal ?? (state.Keys.Any(k => k.Refusal is null) ? null : state.Keys[0].Refusal);
        var lines = new List<string>
        {
            $"OpenPGP key from {from}",
            $"  fingerprint  {Grouped(key.Id)}",
            $"  algorithm    {certificate.Algorithm}",
            $"  created      {certificate.Created:yyyy-MM-dd}",
            $"  expires      {(state.Expires is { } expires ? expires.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) : "never")}",
        };
        lines.AddRange(state.UserIds.Select(id => $"  user id      {id}"));
        lines.AddRange(state.Keys.Skip(1).Where(k => k.Refusal is null).Select(k => $"  signing key  {Grouped(k.Fingerprint)}"));
        return lines;
    }

    /// <summary>A fingerprint in groups of four, as people compare them.</summary>
    private static string Grouped(string fingerprint) => string.Join(' ', fingerprint.ToUpperInvariant().Chunk(4).Select(c => new string(c)));

    private static void Report(Invocation call, List<TrustAdded> added)
    {
        if (call.Json)
        {
            Listing.WriteJson(call, added, TrustOutputJson.Default.ListTrustAdded);
            return;
        }

        foreach (var key in added)
        {
            call.Terminal.Out.WriteLine(call.Quiet ? key.Key
                : key.Revoked ? $"The key {key.Key} is kept with its revocation: what it signed is refused from now on {TrustStore.Scoped(key.Prefix)} ({key.Path})"
                : $"The key {key.Key} is now trusted {TrustStore.Scoped(key.Prefix)} ({key.Path})");
        }
    }
}

/// <summary>A key that was added, for <c>--format=json</c>.</summary>
internal sealed record TrustAdded(string Key, string Kind, string? Prefix, string Path, bool Revoked);

/// <summary>A key that was removed, for <c>--format=json</c>.</summary>
internal sealed record TrustRemoved(string Key, string? Prefix, string Path, bool Masked);

/// <summary>A key of the store, for <c>trust list</c>.</summary>
internal sealed record TrustRow(string Key, string Kind, string? Prefix, string? Signer, DateTimeOffset? Created, DateTimeOffset? Expires, string State, string Path);

/// <summary>Source-generated JSON of the trust verbs' output.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<TrustAdded>))]
[JsonSerializable(typeof(TrustRemoved))]
[JsonSerializable(typeof(TrustRow))]
internal sealed partial class TrustOutputJson : JsonSerializerContext;
