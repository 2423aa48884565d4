using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>One of the things that a signature is about.</summary>
/// <param name="Digests">A manifest, by each of its digests.</param>
/// <param name="Identity">The name that it is signed under; null where the signature says none.</param>
internal sealed record SignedSubject(IReadOnlyList<string> Digests, ImageIdentity? Identity);

/// <summary>What a signature over an OCI image says: which manifests, each under which name.</summary>
internal sealed record SignedStatement(IReadOnlyList<SignedSubject> Subjects)
{
    /// <summary>A statement is a small document; this bounds what is parsed.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The predicate with which cosign says "I sign this image"; other attestations say other things about it.</summary>
    public const string SignPredicate = "https://sigstore.dev/cosign/sign/v1";

    private const string BundleType = "application/vnd.dev.sigstore.bundle";
    private const string EnvelopeType = "application/vnd.in-toto+json";
    private const int MaxDepth = 32;

    // sigstore_bundle.proto, Bundle.media_type: today's form and the earlier ones that readers must take.
    private static readonly string[] BundleTypes = [BundleType + ".v0.3+json", BundleType + "+json;version=0.3", BundleType + "+json;version=0.2", BundleType + "+json;version=0.1"];

    private static readonly string[] StatementTypes = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

    /// <summary>What is said of a manifest; empty when it is of others.</summary>
    public IReadOnlyList<SignedSubject> About(Digest manifest) => [.. Subjects.Where(s => s.Digests.Contains(manifest.ToString(), StringComparer.Ordinal))];

    /// <summary>The repository that the manifest is signed as; where the statement is not about it, any that it names.</summary>
    public string Repository(Digest manifest) => About(manifest).Concat(Subjects).Select(s => s.Identity?.Repository).FirstOrDefault(r => r is not null) ?? "";

    /// <summary>
    /// Reads a simple-signing document (containers/image, docs/containers-signature.5.md): <c>critical</c> with type, image
    /// and identity and nothing else.
    /// </summary>
    public static SignedStatement OfSimpleSigning(ReadOnlyMemory<byte> json, string expectedType)
    {
        var document = Parse(json);
        var critical = Member(document, "critical");
        foreach (var member in critical.EnumerateObject())
        {
            if (member.Name is not ("type" or "image" or "identity"))
            {
                throw Malformed("\"critical\" has a member that is not understood");
            }
        }

        if (Text(critical, "type") is var type && type != expectedType)
        {
            throw Malformed($"it is of the type \"{Shown(type)}\", not \"{expectedType}\"");
        }

        var identity = Text(Member(critical, "identity"), "docker-reference");
        return new SignedStatement([new SignedSubject(
            [Text(Member(critical, "image"), "docker-manifest-digest")],
            identity.Length == 0 ? null : ImageIdentity.OfRegistry(identity))]);
    }

    /// <summary>
    /// Reads an in-toto statement (in-toto attestation spec v1, statement.md) whose predicate is cosign's signature. Each
    /// name belongs to the digests beside it and to no others.
    /// </summary>
    public static SignedStatement OfInToto(ReadOnlyMemory<byte> json)
    {
        var document = Parse(json);
        if (Text(document, "_type") is var type && !StatementTypes.Contains(type, StringComparer.Ordinal))
        {
            throw Malformed($"it is of the type \"{Shown(type)}\", not an in-toto statement");
        }

        if (Text(document, "predicateType") is var predicate && predicate != SignPredicate)
        {
            throw Malformed($"it is an attestation of the kind \"{Shown(predicate)}\", not a signature of the image");
        }

        var subjects = new List<SignedSubject>();
        foreach (var subject in Member(document, "subject", JsonValueKind.Array).EnumerateArray())
        {
            var digests = Member(subject, "digest").EnumerateObject().Where(d => d.Name is "sha256" or "sha512" && d.Value.ValueKind == JsonValueKind.String).Select(d => $"{d.Name}:{d.Value.GetString()}");
            // cosign names the repository here; a name without a path is anything.
            var name = Has(subject, "name") ? Text(subject, "name") : "";
            subjects.Add(new SignedSubject([.. digests], name.Contains('/', StringComparison.Ordinal) ? ImageIdentity.OfRegistry(name) : null));
        }

        return new SignedStatement(subjects);
    }

    /// <summary>
    /// Takes a sigstore bundle with a DSSE envelope, signed with a key, apart: what was signed (DSSE's pre-authentication
    /// encoding), the signature, and the in-toto statement inside. The key's hint decides nothing, and entries of transparency
    /// logs are not looked at: nothing here rests on them (sigstore_bundle.proto; dsse protocol.md).
    /// </summary>
    public static (byte[] Signed, byte[] Signature, byte[] Statement) OfBundle(ReadOnlyMemory<byte> json)
    {
        var document = Parse(json);
        if (Text(document, "mediaType") is var type && !BundleTypes.Contains(type, StringComparer.Ordinal))
        {
            throw Malformed($"a bundle of the kind \"{Shown(type)}\" is not supported, only {BundleTypes[0]} and its forerunners");
        }

        if (!Has(document, "dsseEnvelope"))
        {
            throw Malformed("the bundle has no DSSE envelope");
        }

        if (Has(document, "messageSignature"))
        {
            throw Malformed("the bundle has a messageSignature beside its envelope, where only one of them may be");
        }

        var hint = Hint(Member(document, "verificationMaterial"));
        var envelope = Member(document, "dsseEnvelope");
        if (Text(envelope, "payloadType") != EnvelopeType)
        {
            throw Malformed("the envelope's content is not an in-toto statement");
        }

        var signatures = Member(envelope, "signatures", JsonValueKind.Array);
        if (signatures.GetArrayLength() != 1)
        {
            throw Malformed($"the envelope has {signatures.GetArrayLength()} signatures, where a bundle has one");
        }

        var key = OptionalText(signatures[0], "keyid");
        if (key.Length > 0 && hint.Length > 0 && key != hint)
        {
            throw Malformed($"its envelope names another key (\"{Shown(key)}\") than the bundle (\"{Shown(hint)}\")");
        }

        var payload = Bytes(Text(envelope, "payload"));
        byte[] signed = [.. Encoding.ASCII.GetBytes($"DSSEv1 {EnvelopeType.Length} {EnvelopeType} {payload.Length} "), .. payload];
        return (signed, Bytes(Text(signatures[0], "sig")), payload);
    }

    // One of publicKey, certificate and x509CertificateChain: of what was signed without a key of one's own nothing is known here.
    private static string Hint(JsonElement material)
    {
        if (Has(material, "certificate") || Has(material, "x509CertificateChain"))
        {
            throw Malformed("the bundle is signed with a certificate (keyless), and only signatures by keys count");
        }

        return OptionalText(Member(material, "publicKey"), "hint");
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            throw Malformed($"it has more than {MaxBytes} bytes");
        }

        try
        {
            return StrictJson.Parse(json, MaxDepth);
        }
        catch (JsonException e)
        {
            throw Malformed(JsonFault.Of(e));
        }
    }

    private static JsonElement Member(JsonElement element, string name, JsonValueKind kind = JsonValueKind.Object) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind
            ? value
            : throw Malformed($"\"{name}\" is missing or of the wrong type");

    private static string Text(JsonElement element, string name) => Member(element, name, JsonValueKind.String).GetString()!;

    // In JSON of protocol buffers a null is a member left out.
    private static bool Has(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    private static string OptionalText(JsonElement element, string name) => Has(element, name) ? Text(element, name) : "";

    // Both alphabets, with and without padding (dsse protocol.md; JSON of protocol buffers).
    private static byte[] Bytes(string base64)
    {
        var text = base64.Replace('-', '+').Replace('_', '/').TrimEnd('=');
        text = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Base64.IsValid(text) ? Convert.FromBase64String(text) : throw Malformed("it holds text that is not base64");
    }

    private static string Shown(string text) => PgpText.Clean(Encoding.UTF8.GetBytes(text));

    private static MusterException Malformed(string why) => new(ErrorKind.Invalid, $"the signature's statement is malformed: {why}");
}
