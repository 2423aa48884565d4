using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images;

/// <summary>
/// An image on its way into the store: blobs and trees in staging, invisible. <see cref="Commit"/> makes it visible whole;
/// disposing without it removes everything. Holds the locks that keep others from doing the same work meanwhile.
/// </summary>
public sealed class PendingImage : IDisposable
{
    private readonly StorePaths _paths;
    private readonly Staging _staging;
    private readonly Stack<IDisposable> _locks = new();
    private readonly List<(string From, Digest Digest)> _blobs = [];
    private readonly List<(string From, TreeRecord Tree)> _trees = [];
    private readonly Lock _gate = new();
    private ImageRecord? _record;

    private PendingImage(StorePaths paths, Staging staging, IDisposable inUse)
    {
        _paths = paths;
        _staging = staging;
        _locks.Push(inUse);
    }

    /// <summary>The image as it will be; set by the importer before the verdict is asked for.</summary>
    public ImageRecord Record
    {
        get => _record ?? throw new InvalidOperationException("The image has not been read yet");
        internal set => _record = value;
    }

    internal static async Task<PendingImage> BeginAsync(StorePaths paths, TimeProvider time, CancellationToken ct)
    {
        paths.MakeFolders();
        var inUse = await FileLock.TakeAsync(paths.StoreLock, exclusive: false, time, ct);
        try
        {
            return new PendingImage(paths, await Staging.CreateAsync(paths, time, ct), inUse);
        }
        catch
        {
            inUse.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Waits until nobody else works on any of these things. All at once and in one order, so that two images that share
    /// layers in different orders cannot wait for each other.
    /// </summary>
    internal async Task LockAsync(IEnumerable<string> names, TimeProvider time, CancellationToken ct)
    {
        foreach (var name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            _locks.Push(await FileLock.TakeNamedAsync($"{_paths.Locks}/{StorePaths.Escape(name)}", time, ct));
        }
    }

    internal string NewPath(string kind) => _staging.NewPath(kind);

    /// <summary>Whether the blob is kept already or is in staging here.</summary>
    internal bool HasBlob(Digest digest)
    {
        lock (_gate)
        {
            return _blobs.Exists(b => b.Digest == digest) || File.Exists(_paths.Blob(digest));
        }
    }

    internal bool HasTree(string id)
    {
        lock (_gate)
        {
            return _trees.Exists(t => t.Tree.Id == id) || Directory.Exists(_paths.Tree(id));
        }
    }

    /// <summary>The tree's root directory, in the store or in staging.</summary>
    internal string TreeRoot(string id)
    {
        lock (_gate)
        {
            var at = _trees.FindIndex(t => t.Tree.Id == id);
            return (at < 0 ? _paths.Tree(id) : _trees[at].From) + "/rootfs";
        }
    }

    internal long TreeBytes(string id)
    {
        lock (_gate)
        {
            var at = _trees.FindIndex(t => t.Tree.Id == id);
            return at < 0 ? StoreFiles.Read(_paths.Tree(id) + "/tree.json", RecordFormats.Tree).Bytes : _trees[at].Tree.Bytes;
        }
    }

    /// <summary>Takes a file of staging as a blob; its digest was checked.</summary>
    internal void AddBlob(string path, Digest digest)
    {
        lock (_gate)
        {
            _blobs.Add((path, digest));
        }
    }

    /// <summary>Keeps small content as a blob.</summary>
    internal void AddBlob(ReadOnlySpan<byte> content, Digest digest)
    {
        if (!HasBlob(digest))
        {
            var path = NewPath("blob");
            StoreFiles.Create(path, content);
            AddBlob(path, digest);
        }
    }

    /// <summary>Takes a folder of staging (with <c>rootfs</c> inside) as a tree.</summary>
    internal void AddTree(string path, TreeRecord tree)
    {
        StoreFiles.Create(path + "/tree.json", JsonSerializer.SerializeToUtf8Bytes(tree, StoreJson.Default.TreeRecord));
        lock (_gate)
        {
            _trees.Add((path, tree));
        }
    }

    /// <summary>Makes an empty folder for a tree in staging; its <c>rootfs</c> is entered by nobody else while it is filled.</summary>
    internal string NewTree()
    {
        var path = NewPath("tree");
        foreach (var (folder, mode) in new[] { (path, 0x1c9u), (path + "/rootfs", 0x1edu) })
        {
            var name = FileCalls.Terminated(folder);
            LinuxException.Check(FileCalls.MakeDirectory(FileCalls.AtCurrentDirectory, name, mode), "mkdir", folder);
            LinuxException.Check(FileCalls.ChangeMode(FileCalls.AtCurrentDirectory, name, mode), "chmod", folder);
        }

        return path;
    }

    /// <summary>
    /// Makes the image visible under these references. Data first (one syncfs for everything, then renames), records last:
    /// after a crash at any point a record never names what is not there whole.
    /// </summary>
    public StoredImage Commit(IReadOnlyList<ReferenceRecord> references)
    {
        if (_blobs.Count + _trees.Count > 0)
        {
            using var staging = DirectoryHandle.Open(_staging.Folder);
            LinuxException.Check(FileCalls.SyncFileSystem(staging.Descriptor), "syncfs", _staging.Folder);
        }

        foreach (var (from, digest) in _blobs)
        {
            File.Move(from, _paths.Blob(digest), overwrite: true);
        }

        foreach (var (from, tree) in _trees)
        {
            // The lock on the id is ours and it was not there when we began: a failure here is a real one.
            Directory.Move(from, _paths.Tree(tree.Id));
        }

        if (_blobs.Count + _trees.Count > 0)
        {
            DurableFile.SyncDirectory(_paths.Blobs);
            DurableFile.SyncDirectory(_paths.Trees);
        }

        DurableFile.Write(_paths.Image(Record.Id), JsonSerializer.SerializeToUtf8Bytes(Record, StoreJson.Default.ImageRecord));
        foreach (var reference in references)
        {
            DurableFile.Write(_paths.Name(reference.Reference), JsonSerializer.SerializeToUtf8Bytes(reference, StoreJson.Default.ReferenceRecord));
        }

        _blobs.Clear();
        _trees.Clear();
        return new StoredImage(Record, references[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _staging.Dispose();
        while (_locks.TryPop(out var held))
        {
            held.Dispose();
        }
    }
}
