using System.Text.Json;
using Muster.Containers.Manifests;
using Muster.Containers.Metadata;
using Muster.Core;
using Muster.Images;
using Muster.Images.Aci;
using Muster.Network;

namespace Muster.Containers.Pods;

/// <summary>What a pod tells the metadata service about itself: its manifest, its images' manifests and its addresses.</summary>
internal static class PodMetadata
{
    /// <summary>The registration of a pod whose network is up.</summary>
    public static MetadataPod Describe(MusterRoot root, PodDirectory pod, PodRecord record, PodNetworkState? network)
    {
        var addresses = network?.Interfaces.SelectMany(i => i.Addresses).Select(a => a.Split('/')[0]).ToList() ?? [];
        var gateway = network?.Interfaces.SelectMany(i => i.Gateways).FirstOrDefault();
        if (gateway is null || addresses.Count == 0)
        {
            throw new MusterException(ErrorKind.Unsupported, "--mds-register needs a network with a gateway, by which the pod reaches the service: leave it out, or join a network such as default");
        }

        return new MetadataPod
        {
            Pod = pod.Uuid,
            Addresses = addresses,
            ServiceAddress = gateway,
            Manifest = Json(writer => PodManifestWriter.Write(writer, record)),
            Apps = [.. record.Apps.Select(a => new MetadataApp(a.Name, a.ImageId, Manifest(root, pod, a)))],
        };
    }

    /// <summary>Keeps an image's manifest in the pod directory, so that the pod can register when the image is gone.</summary>
    public static void Keep(PodDirectory pod, string app, ImageRecord image) =>
        File.WriteAllBytes(PathOf(pod, app), ManifestOf(image));

    private static JsonElement Manifest(MusterRoot root, PodDirectory pod, AppRecord app)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(PathOf(pod, app.Name));
        }
        catch (FileNotFoundException)
        {
            var image = new ImageStore(root, TimeProvider.System).Get(app.ImageId)
                ?? throw new MusterException(ErrorKind.NotFound, $"The image {app.ImageId} of app \"{app.Name}\" is no longer in the store: prepare the pod again, with --mds-register");
            bytes = ManifestOf(image);
        }

        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.Clone();
    }

    // An OCI image has no App Container manifest: it is told as the one it would be exported with.
    private static byte[] ManifestOf(ImageRecord image) => image.Kind == ImageKind.Aci
        ? System.Text.Encoding.UTF8.GetBytes(image.Manifest.GetRawText())
        : AciWriter.Manifest(image.Name, image.Labels, image.App, [], image.Annotations);

    private static string PathOf(PodDirectory pod, string app) => Path.Combine(pod.Path, "apps", app, "manifest.json");

    private static JsonElement Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            write(writer);
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.Clone();
    }
}
