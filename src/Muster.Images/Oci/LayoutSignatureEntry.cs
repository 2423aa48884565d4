using System.Text.Json.Nodes;
using Muster.Images.Oci.Registry;

namespace Muster.Images.Oci;

/// <summary>
/// How a layout's index lists a manifest that carries signatures: cosign's by its tag <c>sha256-HEX.sig</c>, a bundle by its
/// artifact type, its subject being in the manifest.
/// </summary>
internal sealed record LayoutSignatureEntry(string? Name, OciCarrier Carrier, JsonNode Json)
{
    /// <summary>The entries for an image's signatures; what a layout has no place for is told.</summary>
    public static IReadOnlyList<LayoutSignatureEntry> Of(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell)
    {
        var entries = new List<LayoutSignatureEntry>();
        foreach (var signature in signatures)
        {
            if (signature.Carrier is not { } carrier)
            {
                tell(signature.Scheme == "simple-signing"
                    ? "the simple-signing signature stays behind, because an OCI layout has no place for it: push to a registry, or copy with --to-root"
                    : $"the {signature.Scheme} signature of {signature.Location} stays behind, because the manifest that carries it was not kept whole: fetch the image again");
            }
            else if (!entries.Exists(e => e.Carrier.Manifest.Digest == carrier.Manifest.Digest))
            {
                var name = signature.Scheme == "cosign" ? SignatureManifests.CosignTag(image.Digest) : null;
                var json = SignatureManifests.Referrer(carrier.Manifest);
                if (name is not null)
                {
                    json.Remove("artifactType");
                    json["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
                }

                entries.Add(new LayoutSignatureEntry(name, carrier, json));
            }
        }

        return entries;
    }
}
