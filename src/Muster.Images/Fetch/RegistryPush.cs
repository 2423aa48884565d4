using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;
using Muster.Images.Trust.Signing;

namespace Muster.Images;

/// <summary>Sends an image of the store to a registry.</summary>
internal static class RegistryPush
{
    /// <summary>
    /// Pushes to <paramref name="destination"/>. Blobs that came from another repository of the same registry are mounted
    /// there instead of sent.
    /// </summary>
    public static async Task PushAsync(ImageStore store, IOciSource source, StoredImage image, ImageReference destination, IReadOnlyList<IImageSigner> signers, FetchOptions options, Action<string> tell, CancellationToken ct)
    {
        using var session = new RegistrySession(store.Root, ImageFetcher.Web(options), store.Time);
        var full = RegistryReference.Parse(session.Registries.Qualify(destination.ToString()["docker://".Length..]));
        if (full.Digest is not null)
        {
            throw new MusterException(ErrorKind.Invalid, $"{destination} names a digest, which is not known before the push: name a tag");
        }

        // Mirrors are for reading; what is written goes to the registry itself.
        var place = session.Registries.Places(full)[^1];
        var from = Trust.ImageIdentity.Of(image.Reference.Reference).Repository;
        var mount = from is not null && from.StartsWith(place.Host + "/", StringComparison.Ordinal) && from != place.Name ? from[(place.Host.Length + 1)..] : null;
        await using var target = new RegistryTarget(session, place, mount);
        await OciTransfer.CopyAsync(source, target, new OciPlatform(image.Record.Os, image.Record.Architecture), options.Progress, tell, signers.Count == 0 ? null : (digest, token) => SignAsync(store.Root, signers, full, place, digest, token), ct);
    }

    private static async Task<IReadOnlyList<OciSignature>> SignAsync(MusterRoot root, IReadOnlyList<IImageSigner> signers, RegistryReference name, RegistryReference place, Digest manifest, CancellationToken ct)
    {
        // A signature that was asked for must not stay behind with a warning.
        if (signers.Any(s => s.Scheme == "simple-signing") && LookasideConfiguration.FindForWriting(root, place, manifest) is not { IsFile: true })
        {
            throw new MusterException(ErrorKind.Invalid, $"Nobody would find the OpenPGP signature, because no registries.d names a folder for signatures of {place.Name}: set lookaside-staging to a file:// address there");
        }

        var made = new List<OciSignature>();
        foreach (var signer in signers)
        {
            made.Add(await signer.SignAsync(manifest, name.ToString(), ct));
        }

        return made;
    }
}
