using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>What a signature over an OCI image says: which manifest, under which name. Names are null where it says none.</summary>
internal sealed record SignedStatement(IReadOnlyList<string> Digests, ImageIdentity? Identity)
{
    /// <summary>A statement is a small document; this bounds what is parsed.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The predicate with which cosign says "I sign this image"; other attestations say other things about it.</summary>
    public const string SignPredicate = "https://sigstore.dev/cosign/sign/v1";

    private const int MaxDepth = 32;

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
            throw Malformed($"it is of the type \"{PgpText.Clean(Encoding.UTF8.GetBytes(type))}\", not \"{expectedType}\"");
        }

        var identity = Text(Member(critical, "identity"), "docker-reference");
        return new SignedStatement(
            [Text(Member(critical, "image"), "docker-manifest-digest")],
            identity.Length == 0 ? null : ImageIdentity.OfRegistry(identity));
    }

    /// <summary>Reads an in-toto statement (in-toto attestation spec v1) whose predicate is cosign's signature.</summary>
    public static SignedStatement OfInToto(ReadOnlyMemory<byte> json)
    {
        var document = Parse(json);
        if (Text(document, "predicateType") is var predicate && predicate != SignPredicate)
        {
            throw Malformed($"it is an attestation of the kind \"{PgpText.Clean(Encoding.UTF8.GetBytes(predicate))}\", not a signature of the image");
        }

        var digests = new List<string>();
        ImageIdentity? identity = null;
        foreach (var subject in Member(document, "subject", JsonValueKind.Array).EnumerateArray())
        {
            digests.Add("sha256:" + Text(Member(subject, "digest"), "sha256"));
            // cosign names the repository here; a name without a path is anything.
            if (subject.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.GetString()!.Contains('/', StringComparison.Ordinal))
            {
                identity ??= ImageIdentity.OfRegistry(name.GetString()!);
            }
        }

        return new SignedStatement(digests, identity);
    }

    /// <summary>
    /// Takes a sigstore bundle v0.3 with a DSSE envelope apart: what was signed (DSSE's pre-authentication encoding), the
    /// signatures, and the in-toto statement inside.
    /// </summary>
    public static (byte[] Signed, IReadOnlyList<byte[]> Signatures, byte[] Statement) OfBundle(ReadOnlyMemory<byte> json)
    {
        var document = Parse(json);
        if (Text(document, "mediaType") is var type && !type.StartsWith("application/vnd.dev.sigstore.bundle", StringComparison.Ordinal))
        {
            throw Malformed("it is not a sigstore bundle");
        }

        if (!document.TryGetProperty("dsseEnvelope", out var envelope))
        {
            throw Malformed("the bundle has no DSSE envelope");
        }

        var payload = Bytes(Text(envelope, "payload"));
        var payloadType = Text(envelope, "payloadType");
        if (payloadType != "application/vnd.in-toto+json")
        {
            throw Malformed("the envelope's content is not an in-toto statement");
        }

        var signatures = new List<byte[]>();
        foreach (var signature in Member(envelope, "signatures", JsonValueKind.Array).EnumerateArray())
        {
            if (signatures.Count == OpenPgpLimits.MaxSignatures)
            {
                throw Malformed($"the envelope has more than {OpenPgpLimits.MaxSignatures} signatures");
            }

            signatures.Add(Bytes(Text(signature, "sig")));
        }

        byte[] signed = [.. Encoding.ASCII.GetBytes($"DSSEv1 {payloadType.Length} {payloadType} {payload.Length} "), .. payload];
        return (signed, signatures, payload);
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

    private static byte[] Bytes(string base64)
    {
        if (!Base64.IsValid(base64))
        {
            throw Malformed("it holds text that is not base64");
        }

        return Convert.FromBase64String(base64);
    }

    private static MusterException Malformed(string why) => new(ErrorKind.Invalid, $"the signature's statement is malformed: {why}");
}
