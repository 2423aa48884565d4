using System.Text.Json;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Trust.Signing;

/// <summary>
/// Signs as <c>cosign sign --key</c> does: a document under the tag <c>sha256-HEX.sig</c>, its signature as the annotation of
/// the layer (sigstore/cosign, specs/SIGNATURE_SPEC.md). Nothing goes to a transparency log.
/// </summary>
public sealed class CosignSigner(CosignPrivateKey key, TimeProvider time) : IImageSigner
{
    /// <inheritdoc/>
    public string Scheme => "cosign";

    /// <inheritdoc/>
    public Task<OciSignature> SignAsync(Digest manifest, string name, CancellationToken ct)
    {
        var document = SigningDocument.Write(SigningDocument.CosignType, manifest, name, time.GetUtcNow());
        var signature = key.Sign(document);
        return Task.FromResult(new OciSignature(Scheme, document, signature, "the given key") { Carrier = Carrier(document, signature) });
    }

    private static OciCarrier Carrier(byte[] document, byte[] signature)
    {
        var layer = new OciDescriptor(SignatureManifests.SimpleSigningLayer, Digest.Sha256(document), document.Length);
        var configuration = Json(json =>
        {
            json.WriteString("architecture"u8, ""u8);
            json.WriteString("os"u8, ""u8);
            json.WriteStartObject("config"u8);
            json.WriteEndObject();
            json.WriteStartObject("rootfs"u8);
            json.WriteString("type"u8, "layers"u8);
            json.WriteStartArray("diff_ids"u8);
            json.WriteStringValue(layer.Digest.ToString());
            json.WriteEndArray();
            json.WriteEndObject();
        });
        var config = new OciDescriptor(MediaTypes.Config, Digest.Sha256(configuration), configuration.Length);
        var manifest = Json(json =>
        {
            json.WriteNumber("schemaVersion"u8, 2);
            json.WriteString("mediaType"u8, MediaTypes.Manifest);
            json.WriteStartObject("config"u8);
            Write(json, config);
            json.WriteEndObject();
            json.WriteStartArray("layers"u8);
            json.WriteStartObject();
            Write(json, layer);
            json.WriteStartObject("annotations"u8);
            json.WriteString(SignatureManifests.SignatureAnnotation, Convert.ToBase64String(signature));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        });
        return new OciCarrier(new OciDocument(Digest.Sha256(manifest), MediaTypes.Manifest, manifest), [(config, configuration), (layer, document)]);
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, OciDescriptor descriptor)
    {
        json.WriteString("mediaType"u8, descriptor.MediaType);
        json.WriteString("digest"u8, descriptor.Digest.ToString());
        json.WriteNumber("size"u8, descriptor.Size);
    }
}
