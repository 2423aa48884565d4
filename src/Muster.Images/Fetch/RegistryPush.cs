using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Oci.Registry;

namespace Muster.Images;

/// <summary>Sends an image of the store to a registry.</summary>
internal static class RegistryPush
{
    /// <summary>
    /// Pushes to <paramref name="destination"/>. Blobs that came from another repository of the same registry are mounted
    /// there instead of sent.
    /// </summary>
    public static async Task PushAsync(ImageStore store, IOciSource source, StoredImage image, ImageReference destination, FetchOptions options, Action<string> tell, CancellationToken ct)
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
        await OciTransfer.CopyAsync(source, target, new OciPlatform(image.Record.Os, image.Record.Architecture), options.Progress, tell, ct);
    }
}
