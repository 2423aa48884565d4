using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Core;

namespace Muster.Images.Trust;

/// <summary>A file of <c>policy.d/*.json</c>. Rules only tighten what holds anyway: a valid signature by a trusted key.</summary>
public sealed record PolicyFile
{
    /// <summary>The form of this file; 1.</summary>
    public required int Version { get; init; }

    public required IReadOnlyList<PolicyRule> Rules { get; init; }
}

/// <summary>What holds for images below a prefix; every rule whose prefix matches applies.</summary>
public sealed record PolicyRule
{
    /// <summary>An image name or its beginning by whole path components; empty for every image.</summary>
    public required string Prefix { get; init; }

    public required PolicyAction Action { get; init; }

    /// <summary>With <c>require</c>: only these keys (fingerprints) may have signed; none means any trusted key.</summary>
    public IReadOnlyList<string>? Keys { get; init; }

    /// <summary>With <c>require</c>: signatures may name images below this prefix in place of <see cref="Prefix"/> (a copy kept elsewhere).</summary>
    public string? SignedAs { get; init; }

    /// <summary>Words for the refusal.</summary>
    public string? Reason { get; init; }
}

/// <summary>What a rule does.</summary>
public enum PolicyAction
{
    /// <summary>A signature is needed whatever the command line says; <c>--insecure-options=image</c> is refused.</summary>
    Require,

    /// <summary>Such images are neither fetched nor run.</summary>
    Refuse,
}

/// <summary>Source-generated JSON of <c>policy.d</c>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true,
    AllowTrailingCommas = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PolicyFile))]
internal sealed partial class PolicyJson : JsonSerializerContext;

/// <summary>What all policies together ask of one image.</summary>
/// <param name="Refusal">Why the image is refused whatever it is signed with; null when it is not.</param>
/// <param name="RequiredBy">The file that demands a signature in any case; null when none does.</param>
/// <param name="KeySets">Each set must contain the key that signed; the text names the file.</param>
/// <param name="SignedAs">Pairs of prefixes: a signature may name the second where the image is below the first.</param>
public sealed record PolicyDecision(string? Refusal, string? RequiredBy, IReadOnlyList<(IReadOnlyList<string> Keys, string Source)> KeySets, IReadOnlyList<(string Prefix, string SignedAs)> SignedAs);

/// <summary>Our <c>policy.d/*.json</c> together with containers' <c>/etc/containers/policy.json</c>, which can only tighten.</summary>
public sealed class TrustPolicy
{
    /// <summary>A policy of a thousand rules has a tenth of this; it is read at every run.</summary>
    public const int MaxFileBytes = 1 << 20;

    private const string ForeignPath = "/etc/containers/policy.json";

    private readonly string _folder;
    private readonly string _foreign;

    /// <summary>The policies that hold for <paramref name="root"/>; touches nothing.</summary>
    public TrustPolicy(MusterRoot root)
        : this(root, ForeignPath)
    {
    }

    internal TrustPolicy(MusterRoot root, string foreign)
    {
        _folder = Path.Combine(root.Etc, "policy.d");
        _foreign = foreign;
    }

    /// <summary>What is asked of <paramref name="reference"/>, whose image goes by <paramref name="identity"/>.</summary>
    public PolicyDecision Decide(ImageIdentity reference, string identity)
    {
        string? refusal = null;
        string? required = null;
        var keys = new List<(IReadOnlyList<string> Keys, string Source)>();
        var signedAs = new List<(string Prefix, string SignedAs)>();
        foreach (var (path, file) in Files())
        {
            foreach (var rule in file.Rules)
            {
                if (!ImageIdentity.IsBelow(identity, rule.Prefix))
                {
                    continue;
                }

                if (rule.Action == PolicyAction.Refuse)
                {
                    refusal ??= $"{path} refuses images below \"{rule.Prefix}\"{(rule.Reason is null ? "" : ": " + rule.Reason)}";
                    continue;
                }

                required ??= path;
                if (rule.Keys is { Count: > 0 } named)
                {
                    // gpg shows fingerprints in capitals.
                    keys.Add(([.. named.Select(key => key.ToLowerInvariant())], path));
                }

                if (rule.SignedAs is { } other)
                {
                    signedAs.Add((rule.Prefix, other));
                }
            }
        }

        if (reference.Transport is { } transport && ForeignPolicy.Read(_foreign) is { } foreign)
        {
            var asked = foreign.Decide(transport, reference);
            refusal ??= asked.Refusal;
            required ??= asked.RequiredBy;
            keys.AddRange(asked.KeySets);
        }

        return new PolicyDecision(refusal, required, keys, signedAs);
    }

    private IEnumerable<(string Path, PolicyFile File)> Files()
    {
        if (!Directory.Exists(_folder))
        {
            yield break;
        }

        foreach (var path in Directory.EnumerateFiles(_folder, "*.json").Order(StringComparer.Ordinal))
        {
            yield return (path, Read(path));
        }
    }

    private static PolicyFile Read(string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize(Bytes(path), PolicyJson.Default.PolicyFile);
            if (file is not { Version: 1, Rules: not null } || file.Rules.Any(r => r?.Prefix is null || (r.Action == PolicyAction.Refuse && (r.Keys is not null || r.SignedAs is not null))))
            {
                throw new MusterException(ErrorKind.Invalid, $"The policy {path} is not understood: it needs \"version\": 1 and rules, and keys or signedAs go with \"require\" only");
            }

            // A rule that can never apply looks like protection and is none.
            foreach (var fault in file.Rules.SelectMany(Faults))
            {
                throw new MusterException(ErrorKind.Invalid, $"The policy {path} has {fault}: correct it, nothing is fetched or run until then");
            }

            return file;
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The policy {path} cannot be read ({JsonFault.Of(e)}): correct it, nothing is fetched or run until then", e);
        }
    }

    private static IEnumerable<string> Faults(PolicyRule rule)
    {
        foreach (var (member, prefix) in new[] { ("prefix", rule.Prefix), ("signedAs", rule.SignedAs) })
        {
            if (prefix is { Length: > 0 } && !ImageIdentity.CanBegin(prefix))
            {
                yield return $"the {member} \"{prefix}\", with which no image's name begins (write host[:port]/repository without scheme, tag, digest, capitals, wildcards and a slash at the end)";
            }
        }

        foreach (var key in rule.Keys ?? [])
        {
            if (key is not { Length: 40 or 64 } || !key.All(char.IsAsciiHexDigit))
            {
                yield return $"the key \"{key}\", which is not a fingerprint of 40 or 64 hexadecimal digits (see muster trust list)";
            }
        }
    }

    /// <summary>A policy file's bytes, bounded.</summary>
    internal static byte[] Bytes(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxFileBytes
            ? File.ReadAllBytes(path)
            : throw new MusterException(ErrorKind.Exhausted, $"The policy {path} has {length} bytes, more than {MaxFileBytes}: shorten it");
    }
}
