using System.Globalization;
using System.Text;
using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Images.Oci;
using Muster.Images.Trust;

namespace Muster.Images.Build;

/// <summary>
/// Builds images from a folder and a recipe, or from a folder with <c>manifest</c> and <c>rootfs</c> as actool does. The same
/// input gives the same image, bit by bit; the result goes the same way into the store as every other image.
/// </summary>
public sealed class ImageBuilder
{
    private readonly ImageStore _store;
    private readonly ImageFetcher _fetcher;
    private readonly TrustJudge _judge;

    /// <summary>Builds into <paramref name="store"/>.</summary>
    public ImageBuilder(ImageStore store)
    {
        _store = store;
        _fetcher = new ImageFetcher(store);
        _judge = new TrustJudge(store.Root, store.Time);
    }

    /// <summary>
    /// Builds the image that <paramref name="path"/> describes: <c>image.yaml</c>, or a folder that holds it or an App
    /// Container image layout. <paramref name="sourceDateEpoch"/> (reproducible-builds.org) is the latest time in the image.
    /// </summary>
    public async Task<StoredImage> BuildAsync(string path, long? sourceDateEpoch, FetchOptions options, CancellationToken ct)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var file = Directory.Exists(path) ? Path.Combine(path, "image.yaml") : path;
        if (!File.Exists(file))
        {
            return File.Exists(Path.Combine(folder, "manifest")) && Directory.Exists(Path.Combine(folder, "rootfs"))
                ? await BuildLayoutAsync(folder, sourceDateEpoch, options, ct)
                : throw new MusterException(ErrorKind.NotFound, $"{path} holds neither an image.yaml nor the manifest and rootfs of an App Container image");
        }

        var recipe = BuildRecipeReader.Read(Encoding.UTF8.GetString(LayoutFiles.ReadGiven(file, 1 << 20)));
        var below = recipe.From is null ? null : await BelowAsync(recipe.From, file, options, ct);
        if (below is not null && below.Record.Kind != recipe.Kind)
        {
            throw new MusterException(ErrorKind.Invalid, $"The recipe makes an image of the type {recipe.Kind.ToString().ToLowerInvariant()} from one of the type {below.Record.Kind.ToString().ToLowerInvariant()}: set type to the same, or convert the other with muster image export");
        }

        using var held = below is null ? null : await _store.HoldAsync(ct);
        using var root = below is null ? null : new BaseRoot(_store.LowerDirectories(below.Record));
        var files = BuildFiles.Gather(folder, recipe.Copies, root);
        var clamp = sourceDateEpoch ?? files.Latest;
        return recipe.Kind == ImageKind.Oci
            ? await BuildOciAsync(recipe, below, files, clamp, ct)
            : await BuildAciAsync(recipe, below, files, clamp, options, ct);
    }

    private async Task<StoredImage> BelowAsync(string from, string file, FetchOptions options, CancellationToken ct)
    {
        try
        {
            return await _fetcher.ResolveAsync(from, options, ct);
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Usage)
        {
            // The words of the recipe are wrong, not those of the call.
            throw new MusterException(ErrorKind.Invalid, $"\"from\" of {file}: {e.Message}", e);
        }
    }

    private async Task<StoredImage> BuildOciAsync(BuildRecipe recipe, StoredImage? below, BuildFiles files, long clamp, CancellationToken ct)
    {
        using var staging = await _store.BeginAsync(ct);
        await using var image = new AssembledImage(recipe.Name, null);
        var layers = new List<OciDescriptor>();
        var diffIds = new List<string>();
        if (below is not null)
        {
            TakeBelow(below.Record, image, layers, diffIds);
        }

        if (recipe.Copies.Count > 0)
        {
            var (layer, diffId) = await Task.Run(() => image.WriteLayer(staging.NewPath("layer"), writer => files.Write(writer, "", clamp, ct)), ct);
            layers.Add(layer);
            diffIds.Add(diffId.ToString());
        }

        var platform = below is null ? OciPlatform.Host : new OciPlatform(below.Record.Os, below.Record.Architecture);
        var app = Merge(recipe, below?.Record.App);
        image.Complete(OciWriter.Config(app, platform.Os, platform.Architecture, diffIds, DateTimeOffset.FromUnixTimeSeconds(clamp), app.UserLabels), layers, recipe.Annotations);
        var manifest = await OciImporter.SelectAsync(image, platform, ct);
        using var pending = await new OciImporter(_store).ImportAsync(image, manifest, platform, recipe.Name, recipe.Version, null, ct);
        return pending.Commit([Built(pending.Record, recipe.Version is null ? recipe.Name : $"{recipe.Name}:{recipe.Version}", below is null ? [] : [below.Record.Id])]);
    }

    private async Task<StoredImage> BuildAciAsync(BuildRecipe recipe, StoredImage? below, BuildFiles files, long clamp, FetchOptions options, CancellationToken ct)
    {
        var labels = new List<NameValue>();
        if (recipe.Version is not null)
        {
            labels.Add(new NameValue("version", recipe.Version));
        }

        labels.Add(new NameValue("os", "linux"));
        labels.Add(new NameValue("arch", ImageReference.HostArchitecture));
        IReadOnlyList<AciDependency> dependencies = below is null ? [] : [new AciDependency(below.Record.Name, below.Record.Id, below.Record.Labels, null)];
        var annotations = recipe.Annotations.Where(a => a.Name != "created")
            .Append(new NameValue("created", DateTimeOffset.FromUnixTimeSeconds(clamp).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture))).ToList();
        var app = Merge(recipe, below?.Record.App);
        if (app.StopSignal is not null)
        {
            annotations.Add(new NameValue(AciWriter.StopSignal, app.StopSignal));
        }

        var manifest = AciWriter.Manifest(recipe.Name, labels, app with { Group = app.Group ?? "0" }, dependencies, annotations);
        return await ImportAsync(manifest, writer => files.Write(writer, "rootfs", clamp, ct), options, ct);
    }

    private async Task<StoredImage> BuildLayoutAsync(string folder, long? sourceDateEpoch, FetchOptions options, CancellationToken ct)
    {
        var manifest = LayoutFiles.Read(Path.Combine(folder, "manifest"), AciManifestReader.MaxBytes);
        _ = AciManifestReader.Read(manifest);
        return await ImportAsync(manifest, writer => TreeArchiver.Write([Path.Combine(folder, "rootfs")], writer, new ArchiveRules("rootfs", sourceDateEpoch), ct), options, ct);
    }

    private async Task<StoredImage> ImportAsync(byte[] manifest, Action<TarWriter> root, FetchOptions options, CancellationToken ct)
    {
        using var staging = await _store.BeginAsync(ct);
        var path = staging.NewPath("aci");
        await using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
        {
            await Task.Run(() =>
            {
                using var gzip = Gzip.Compress(file);
                var tar = new TarWriter(gzip);
                AciWriter.Write(tar, manifest, root);
            }, ct);
        }

        await using var built = LayoutFiles.TryOpen(path)!;
        return await _fetcher.ImportBuiltAciAsync(built, record => Built(record, ImageReference.ForAci(record.Name, record.Labels), record.Dependencies), options, ct);
    }

    private void TakeBelow(ImageRecord below, AssembledImage image, List<OciDescriptor> layers, List<string> diffIds)
    {
        var document = new OciDocument(Digest.Parse(below.Blobs[0]), "", LayoutFiles.Read(_store.BlobPath(below.Blobs[0]), OciDocuments.MaxBytes));
        foreach (var layer in OciDocuments.ReadManifest(document).Layers)
        {
            layers.Add(layer with { MediaType = MediaTypes.OciLayer(layer.MediaType) });
            image.AddFile(layer.Digest, _store.BlobPath(layer.Digest.ToString()));
        }

        diffIds.AddRange(OciDocuments.ReadConfig(Encoding.UTF8.GetBytes(below.Configuration!.Value.GetRawText())).Rootfs!.DiffIds!);
    }

    // What the recipe says stands over what the image below says; lists of things with names are joined.
    private static AppTemplate Merge(BuildRecipe recipe, AppTemplate? below)
    {
        below ??= new AppTemplate();
        return below with
        {
            Exec = recipe.Exec ?? below.Exec,
            DefaultArguments = recipe.Arguments ?? (recipe.Exec is null ? below.DefaultArguments : []),
            User = recipe.User ?? below.User,
            Group = recipe.Group ?? (recipe.User is null ? below.Group : null),
            WorkingDirectory = recipe.WorkingDirectory ?? below.WorkingDirectory,
            StopSignal = recipe.StopSignal ?? below.StopSignal,
            Environment = [.. below.Environment.Where(e => recipe.Environment.All(r => r.Name != e.Name)), .. recipe.Environment],
            Ports = [.. below.Ports.Where(p => recipe.Ports.All(r => r.Name != p.Name)), .. recipe.Ports],
            MountPoints = [.. below.MountPoints.Where(m => recipe.Mounts.All(r => r.Name != m.Name)), .. recipe.Mounts],
            UserLabels = [.. below.UserLabels.Where(l => recipe.Labels.All(r => r.Name != l.Name)), .. recipe.Labels],
        };
    }

    private ReferenceRecord Built(ImageRecord image, string reference, IReadOnlyList<string> below) => new()
    {
        Reference = reference,
        Image = image.Id,
        Trust = Judge(image.Name, below),
        FetchedAt = _store.Time.GetUtcNow(),
    };

    // What nobody vouches for does not become trusted by a build: its files are in the new image.
    private TrustRecord Judge(string name, IReadOnlyList<string> below)
    {
        var unverified = below.SelectMany(id => _store.ReferencesTo(id) is { Count: > 0 } names && names.All(n => n.Trust.Verdict == TrustVerdict.Insecure) ? names.Take(1) : []).FirstOrDefault();
        return unverified is null
            ? _judge.JudgeBuilt(name)
            : _judge.JudgeInsecure(name, name) with { Reason = $"built upon {unverified.Reference}, which is not verified, as --insecure-options=image asked" };
    }
}
