using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;

namespace Muster.Fuzz;

/// <summary>registries.conf, references, challenges and signature manifests from any bytes.</summary>
public static class RegistryFilesTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var text = Encoding.UTF8.GetString(data);
        var bytes = data.ToArray();
        Refusing(() => Toml.Parse(text));
        Refusing(() => RegistryReference.Parse(text));
        Refusing(() => Challenge.Read("Bearer", text));
        Refusing(() => SignatureManifests.Cosign(bytes));
        Refusing(() => SignatureManifests.Bundles(bytes));
        Refusing(() => SignatureManifests.Referrers(bytes));
        Refusing(() => SignatureManifests.Parts(bytes));
        Refusing(() => SignatureManifests.IsAbout(bytes, Digest.Sha256(bytes)));
        Refusing(() => SignatureManifests.IsBesideName(text));

        // What is written for another place must be read there again.
        var manifest = new OciDocument(Digest.Sha256(bytes), MediaTypes.Manifest, bytes);
        var index = SignatureManifests.AddReferrer(bytes, manifest);
        if (!SignatureManifests.Referrers(SignatureManifests.AddReferrer(null, manifest)).Any(r => r.Digest == manifest.Digest) && Json(bytes) is null)
        {
            throw new InvalidOperationException("a referrer was lost: " + Encoding.UTF8.GetString(index.Span));
        }

        var merged = SignatureManifests.Merge(Signed, bytes);
        if (SignatureManifests.Cosign(merged).Count < SignatureManifests.Cosign(bytes).Count)
        {
            throw new InvalidOperationException("a signature was lost: " + Encoding.UTF8.GetString(merged.Span));
        }
    }

    private static readonly byte[] Signed = """{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":2},"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":1,"annotations":{"dev.cosignproject.cosign/signature":"AA=="}}]}"""u8.ToArray();

    // A manifest whose artifact type is something else is not listed as a bundle: only others must be found again.
    private static string? Json(byte[] bytes)
    {
        try
        {
            var root = StrictJson.Parse(bytes, maxDepth: 32);
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("artifactType", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Refusing(Action action)
    {
        try
        {
            action();
        }
        catch (MusterException)
        {
        }
    }
}
