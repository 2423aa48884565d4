using System.Text.Encodings.Web;
using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Trust.Signing;

/// <summary>What is signed: the simple-signing document that names the image (containers/image, docs/containers-signature.5.md).</summary>
internal static class SigningDocument
{
    /// <summary>The type of documents that OpenPGP signs.</summary>
    public const string AtomicType = "atomic container signature";

    /// <summary>The type of documents that cosign's keys sign (sigstore/cosign, specs/SIGNATURE_SPEC.md).</summary>
    public const string CosignType = "cosign container image signature";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The bytes to sign.</summary>
    public static byte[] Write(string type, Digest manifest, string name, DateTimeOffset now)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteStartObject("critical"u8);
            json.WriteStartObject("identity"u8);
            json.WriteString("docker-reference"u8, name);
            json.WriteEndObject();
            json.WriteStartObject("image"u8);
            json.WriteString("docker-manifest-digest"u8, manifest.ToString());
            json.WriteEndObject();
            json.WriteString("type"u8, type);
            json.WriteEndObject();
            json.WriteStartObject("optional"u8);
            json.WriteString("creator"u8, "muster"u8);
            json.WriteNumber("timestamp"u8, now.ToUnixTimeSeconds());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
