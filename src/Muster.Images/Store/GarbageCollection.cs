using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images;

/// <summary>What a collection may remove.</summary>
/// <param name="Grace">Images without a name are kept this long after their last use.</param>
/// <param name="Unused">Also images that have names but were not used within <paramref name="Grace"/>.</param>
public sealed record GarbageOptions(TimeSpan Grace, bool Unused);

/// <summary>What a collection removed.</summary>
public sealed record GarbageReport
{
    public required IReadOnlyList<string> Images { get; init; }

    public required int Trees { get; init; }

    public required int Blobs { get; init; }

    /// <summary>Leftovers of killed fetches.</summary>
    public required int Leftovers { get; init; }

    public required long Bytes { get; init; }
}

/// <summary>
/// Removes what nothing names: images without references, trees and blobs without images or pods, leftovers of killed
/// processes. Runs alone: whoever adds or uses images holds the store's lock shared.
/// </summary>
internal sealed class GarbageCollection
{
    /// <summary>How long a collection waits for fetches to end before it says that the store is busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>An unfinished record of this age has no living writer.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private readonly ImageStore _store;
    private readonly string _pods;
    private readonly List<string> _images = [];
    private int _trees;
    private int _blobs;
    private int _leftovers;
    private long _bytes;

    private GarbageCollection(ImageStore store, MusterRoot root)
    {
        _store = store;
        _pods = root.Pods;
    }

    /// <summary>Collects; null when others use the store and <paramref name="wait"/> is false.</summary>
    public static async Task<GarbageReport?> RunAsync(ImageStore store, MusterRoot root, GarbageOptions options, bool wait, CancellationToken ct)
    {
        if (!Directory.Exists(store.Paths.Base))
        {
            return new GarbageReport { Images = [], Trees = 0, Blobs = 0, Leftovers = 0, Bytes = 0 };
        }

        store.Paths.MakeFolders();
        using var alone = await TakeAsync(store, wait, ct);
        return alone is null ? null : await new GarbageCollection(store, root).RunAsync(options, ct);
    }

    /// <summary>The trees that the pods name: <c>apps[].trees</c> of <c>pods/STATE/UUID/pod.json</c>.</summary>
    /// <exception cref="MusterException">Corrupt when one cannot be read: what it uses is unknown, so nothing may be removed.</exception>
    public static HashSet<string> TreesInUse(string pods)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var state in Directory.Exists(pods) ? Directory.EnumerateDirectories(pods) : [])
        {
            foreach (var pod in Directory.EnumerateDirectories(state))
            {
                AddTrees(pod + "/pod.json", used);
            }
        }

        return used;
    }

    private static void AddTrees(string path, HashSet<string> used)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var app in document.RootElement.GetProperty("apps").EnumerateArray())
            {
                foreach (var tree in app.GetProperty("trees").EnumerateArray())
                {
                    used.Add(tree.GetString()!);
                }
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // A pod that is only being made, or one that was renamed to its next state: that folder is read as well.
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new MusterException(ErrorKind.Corrupt, $"The pod record {path} cannot be read, so the images that it uses are unknown and nothing was removed: remove that pod first", e);
        }
    }

    private static async Task<FileLock?> TakeAsync(ImageStore store, bool wait, CancellationToken ct)
    {
        var started = store.Time.GetTimestamp();
        while (true)
        {
            if (FileLock.TryTake(store.Paths.StoreLock, exclusive: true) is { } taken)
            {
                return taken;
            }

            if (!wait)
            {
                return null;
            }

            if (store.Time.GetElapsedTime(started) > Patience)
            {
                throw new MusterException(ErrorKind.Busy, "The image store is busy: a fetch or a starting pod has used it for more than ten seconds; try again when it is done");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), store.Time, ct);
        }
    }

    private async Task<GarbageReport> RunAsync(GarbageOptions options, CancellationToken ct)
    {
        _leftovers += Staging.Sweep(_store.Paths);
        var used = PodTrees();
        RemoveImages(options, used);
        var (trees, blobs) = Kept(used);
        using (var staging = await Staging.CreateAsync(_store.Paths, _store.Time, ct))
        {
            foreach (var path in Directory.EnumerateDirectories(_store.Paths.Trees))
            {
                ct.ThrowIfCancellationRequested();
                if (!trees.Contains(Path.GetFileName(path)))
                {
                    _trees++;
                    _bytes += StoreFiles.TryRead(path + "/tree.json", RecordFormats.Tree)?.Bytes ?? 0;

                    // Out of sight first: a tree that is half removed must not be found.
                    Directory.Move(path, staging.NewPath("tree"));
                }
            }
        }

        foreach (var path in Directory.EnumerateFiles(_store.Paths.Blobs))
        {
            if (!blobs.Contains(Path.GetFileName(path)))
            {
                _blobs++;
                _bytes += new FileInfo(path).Length;
                File.Delete(path);
            }
        }

        RemoveLeftovers();
        return new GarbageReport { Images = _images, Trees = _trees, Blobs = _blobs, Leftovers = _leftovers, Bytes = _bytes };
    }

    // A pod directory that is renamed between two states while they are listed is seen in a second look.
    private HashSet<string> PodTrees()
    {
        var used = TreesInUse(_pods);
        used.UnionWith(TreesInUse(_pods));
        return used;
    }

    private void RemoveImages(GarbageOptions options, HashSet<string> used)
    {
        var named = _store.References().ToLookup(r => r.Image, StringComparer.Ordinal);
        var now = _store.Time.GetUtcNow();
        foreach (var image in _store.Images())
        {
            var old = now - _store.LastUsed(image) >= options.Grace;
            if (!old || image.Trees.Any(used.Contains) || (named.Contains(image.Id) && !options.Unused))
            {
                continue;
            }

            foreach (var reference in named[image.Id])
            {
                File.Delete(_store.Paths.Name(reference.Reference));
            }

            File.Delete(_store.Paths.Image(image.Id));
            _images.Add(image.Id);
        }
    }

    private (HashSet<string> Trees, HashSet<string> Blobs) Kept(HashSet<string> used)
    {
        var trees = new HashSet<string>(used, StringComparer.Ordinal);
        var blobs = new HashSet<string>(StringComparer.Ordinal);
        foreach (var image in _store.Images())
        {
            // An image that was rendered keeps what it was rendered from: the next image with the same parts needs it.
            trees.UnionWith(image.Trees);
            trees.UnionWith(image.Dependencies);
            trees.Add(image.Id);
            blobs.UnionWith(image.Blobs.Select(b => Digest.Parse(b).Hex));
        }

        // Also of a reference whose image is gone: until it is removed, it names them.
        foreach (var reference in _store.References())
        {
            blobs.UnionWith(KeptSignatures.Blobs(reference).Select(b => Digest.Parse(b).Hex));
        }

        return (trees, blobs);
    }

    private void RemoveLeftovers()
    {
        foreach (var folder in new[] { _store.Paths.Images, _store.Paths.Names })
        {
            foreach (var path in Directory.EnumerateFiles(folder, "*.new-*"))
            {
                if (_store.Time.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(path), TimeSpan.Zero) > Abandoned)
                {
                    File.Delete(path);
                    _leftovers++;
                }
            }
        }

        foreach (var path in Directory.EnumerateFiles(_store.Paths.Locks))
        {
            if (Path.GetFileName(path) != "staging" && FileLock.TryTakeNamed(path) is { } dead)
            {
                dead.Dispose();
                _leftovers++;
            }
        }
    }
}
