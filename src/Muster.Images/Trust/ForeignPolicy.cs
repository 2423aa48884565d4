using System.Text.Json;
using Muster.Core;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>
/// containers' policy.json (containers-policy.json(5)) read for what it forbids: <c>reject</c>, <c>signedBy</c> and
/// <c>sigstoreSigned</c> with keys. What it allows allows nothing here, and a requirement that cannot be met or
/// understood refuses.
/// </summary>
internal sealed class ForeignPolicy
{
    private readonly string _path;
    private readonly JsonElement _policy;

    private ForeignPolicy(string path, JsonElement policy)
    {
        _path = path;
        _policy = policy;
    }

    /// <summary>Reads the file; null where there is none.</summary>
    public static ForeignPolicy? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return StrictJson.Parse(TrustPolicy.Bytes(path), maxDepth: 16) is { ValueKind: JsonValueKind.Object } policy
                ? new ForeignPolicy(path, policy)
                : throw new MusterException(ErrorKind.Invalid, $"{path} is not a policy: correct it, or remove it if no other tool needs it");
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be read ({JsonFault.Of(e)}): correct it, or remove it if no other tool needs it", e);
        }
    }

    /// <summary>What the most specific scope asks of an image.</summary>
    public PolicyDecision Decide(string transport, ImageIdentity reference)
    {
        string? refusal = null;
        string? required = null;
        var sets = new List<(IReadOnlyList<string> Keys, string Source)>();
        foreach (var requirement in Requirements(transport, reference))
        {
            // Our own rule on names is at least as strict as the match… kinds; the others ask for another name altogether.
            if (requirement.ValueKind == JsonValueKind.Object && requirement.TryGetProperty("signedIdentity", out var signedAs)
                && Text(signedAs, "type") is not ("matchExact" or "matchRepoDigestOrExact" or "matchRepository"))
            {
                refusal ??= $"{_path} asks for signatures under another name (signedIdentity), which cannot be checked here";
            }

            switch (Text(requirement, "type"))
            {
                case "insecureAcceptAnything":
                    break;
                case "reject":
                    refusal ??= $"{_path} rejects it";
                    break;
                case "signedBy":
                    required ??= _path;
                    sets.Add((Keys(requirement, OpenPgpCertificate.FingerprintsIn), _path));
                    break;
                case "sigstoreSigned" when HasKeys(requirement):
                    required ??= _path;
                    sets.Add((Keys(requirement, pem => [CosignPublicKey.Parse(pem).Id]), _path));
                    break;
                case var other:
                    refusal ??= $"{_path} asks for {(other == "sigstoreSigned" ? "a keyless sigstore signature" : $"\"{PgpText.Clean(System.Text.Encoding.UTF8.GetBytes(other ?? "nothing"))}\"")}, which cannot be checked here";
                    break;
            }
        }

        return new PolicyDecision(refusal, required, sets, []);
    }

    private JsonElement.ArrayEnumerator Requirements(string transport, ImageIdentity reference)
    {
        if (_policy.TryGetProperty("transports", out var transports) && Object(transports).TryGetProperty(transport, out var scopes))
        {
            foreach (var scope in Scopes(reference))
            {
                if (Object(scopes).TryGetProperty(scope, out var found))
                {
                    return List(found);
                }
            }
        }

        return _policy.TryGetProperty("default", out var otherwise)
            ? List(otherwise)
            : throw Malformed("it has no \"default\"");
    }

    /// <summary>The scopes that may hold for an image, the most specific first.</summary>
    private static IEnumerable<string> Scopes(ImageIdentity reference)
    {
        if (reference.Repository is { } repository)
        {
            yield return reference.Name.Contains('@', StringComparison.Ordinal) || reference.Tag is not null ? reference.Name : reference.Name + ":latest";
        }
        else
        {
            yield return reference.Name;
            var colon = reference.Name.LastIndexOf(':');
            repository = colon > reference.Name.LastIndexOf('/') ? reference.Name[..colon] : reference.Name;
        }

        for (var scope = repository; scope.Length > 0;)
        {
            yield return scope;
            var slash = scope.LastIndexOf('/');
            if (slash <= 0)
            {
                break;
            }

            scope = scope[..slash];
        }

        if (reference.Repository is not null)
        {
            var slash = repository.IndexOf('/', StringComparison.Ordinal);
            var host = slash < 0 ? repository : repository[..slash];
            for (var dot = host.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.IndexOf('.', dot + 1))
            {
                yield return "*" + host[dot..];
            }
        }

        yield return "";
    }

    private List<string> Keys(JsonElement requirement, Func<ReadOnlySpan<byte>, IReadOnlyList<string>> read)
    {
        var keys = new List<string>();
        try
        {
            foreach (var path in Texts(requirement, "keyPath", "keyPaths"))
            {
                keys.AddRange(read(TrustPolicy.Bytes(path)));
            }

            foreach (var data in Texts(requirement, "keyData", "keyDatas"))
            {
                keys.AddRange(read(Convert.FromBase64String(data)));
            }
        }
        catch (Exception e) when (e is MusterException or IOException or FormatException)
        {
            throw new MusterException(ErrorKind.Invalid, $"A key that {_path} asks for cannot be read ({e.Message}): correct that policy", e);
        }

        return keys;
    }

    private bool HasKeys(JsonElement requirement) => Texts(requirement, "keyPath", "keyPaths").Concat(Texts(requirement, "keyData", "keyDatas")).Any();

    private IEnumerable<string> Texts(JsonElement requirement, string one, string many)
    {
        if (Text(requirement, one) is { } single)
        {
            yield return single;
        }

        if (requirement.TryGetProperty(many, out var list))
        {
            foreach (var item in List(list))
            {
                yield return item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Malformed($"\"{many}\" holds something else than text");
            }
        }
    }

    private string? Text(JsonElement element, string name) =>
        Object(element).TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private JsonElement Object(JsonElement element) => element.ValueKind == JsonValueKind.Object ? element : throw Malformed("an object is expected where there is none");

    private JsonElement.ArrayEnumerator List(JsonElement element) => element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : throw Malformed("a list is expected where there is none");

    private MusterException Malformed(string why) => new(ErrorKind.Invalid, $"{_path} is malformed: {why}; correct it, or remove it if no other tool needs it");
}
