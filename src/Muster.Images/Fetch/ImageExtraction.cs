using System.Text.Json;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images;

/// <summary>Unpacks images of the store into folders of the user's.</summary>
public static class ImageExtraction
{
    /// <summary>Makes <paramref name="folder"/> with <c>rootfs</c> (and <c>manifest</c>), or the root itself; whole or not at all.</summary>
    /// <param name="store">Where the image is.</param>
    /// <param name="image">The image.</param>
    /// <param name="folder">An absolute path that must not exist unless <paramref name="overwrite"/>.</param>
    /// <param name="rendered">With dependencies (ACI).</param>
    /// <param name="rootOnly">The folder is the root; no manifest.</param>
    /// <param name="overwrite">Replace what is there.</param>
    /// <param name="ct">Stops the work.</param>
    public static async Task ExtractAsync(ImageStore store, ImageRecord image, string folder, bool rendered, bool rootOnly, bool overwrite, CancellationToken ct)
    {
        if (!overwrite && (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())))
        {
            throw new MusterException(ErrorKind.Conflict, $"{folder} exists and is not empty: choose another folder, or add --overwrite");
        }

        if (overwrite && Directory.Exists(folder))
        {
            string[] kept = [Directory.GetCurrentDirectory(), store.Root.Images, store.Root.Pods, store.Root.Etc, store.Root.Run, AppContext.BaseDirectory, Environment.GetEnvironmentVariable("HOME") ?? "/root"];
            if (WhyKept(RealPath.Resolve(folder), kept.Where(Directory.Exists).Select(RealPath.Resolve), await File.ReadAllTextAsync("/proc/self/mountinfo", ct)) is { } why)
            {
                throw new MusterException(ErrorKind.Conflict, $"{folder} is not replaced, because {why}: choose another folder, or empty it yourself");
            }
        }

        var beside = $"{folder.TrimEnd('/')}.new-{Environment.ProcessId}";
        using var undo = new UndoStack();
        LinuxException.Check(FileCalls.MakeDirectory(FileCalls.AtCurrentDirectory, FileCalls.Terminated(beside), 0x1c0), "mkdir", beside);
        undo.Push(() => DirectoryHandle.RemoveAll(beside));
        var root = rootOnly ? beside : beside + "/rootfs";
        if (!rootOnly)
        {
            Directory.CreateDirectory(root);
            await File.WriteAllBytesAsync(beside + "/manifest", JsonSerializer.SerializeToUtf8Bytes(image.Manifest, StoreJson.Default.JsonElement), ct);
        }

        IReadOnlyList<string> lowers = rendered || image.Kind == ImageKind.Oci ? store.LowerDirectories(image) : [store.TreePath(image.Id)];
        await Task.Run(() => Copy(lowers, root, ct), ct);
        if (!rootOnly)
        {
            LinuxException.Check(FileCalls.ChangeMode(FileCalls.AtCurrentDirectory, FileCalls.Terminated(beside), 0x1ed), "chmod", beside);
        }

        if (overwrite)
        {
            DirectoryHandle.RemoveAll(folder);
        }
        else if (Directory.Exists(folder))
        {
            Directory.Delete(folder);
        }

        Directory.Move(beside, folder);
        undo.Commit();
    }

    /// <summary>
    /// Why a folder must not be emptied although --overwrite says so, or null. A slip of the hand there would cost the host,
    /// and what is mounted below belongs to somebody else.
    /// </summary>
    /// <param name="folder">The folder, links resolved.</param>
    /// <param name="kept">Folders that what runs here needs, links resolved.</param>
    /// <param name="mounts">The text of proc_pid_mountinfo(5).</param>
    internal static string? WhyKept(string folder, IEnumerable<string> kept, string mounts)
    {
        var below = folder.TrimEnd('/') + "/";
        bool IsIn(string path) => (path.TrimEnd('/') + "/").StartsWith(below, StringComparison.Ordinal);
        if (folder.LastIndexOf('/') <= 0)
        {
            return "it is one of the host's own folders";
        }

        if (kept.FirstOrDefault(IsIn) is { } needed)
        {
            return $"{needed} is in it";
        }

        var points = mounts.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ') is { Length: > 4 } words ? words[4] : "");
        return points.Select(Mount.Unescape)
            .FirstOrDefault(p => p.Length > 0 && IsIn(p)) is { } point ? $"a file system is mounted at {point}" : null;
    }

    // The archive of the merged tree is unpacked while it is written: one way in and out of trees for everything.
    private static void Copy(IReadOnlyList<string> lowers, string root, CancellationToken ct)
    {
        using var pipe = new ChunkPipe();
        Exception? failure = null;
        var reader = new Thread(() => failure = Unpack(pipe, root)) { IsBackground = true, Name = "image-unpack" };
        reader.Start();
        Exception? cause = null;
        try
        {
            using var to = new ChunkPipeWriter(pipe);
            var tar = new TarWriter(to);
            TreeArchiver.Write(lowers, tar, new ArchiveRules(Sparse: true), ct);
            tar.Finish();
            to.Flush();
        }
#pragma warning disable CA1031 // The boundary of a thread: the failure is thrown below, when the other side has ended.
        catch (Exception e)
#pragma warning restore CA1031
        {
            cause = e;
        }

        pipe.Complete(cause);
        reader.Join();
        if (cause is not null && cause is not ChunkPipeWriter.ReaderGone)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }

        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

#pragma warning disable CA1031 // The boundary of a thread: the failure is handed to the one that waits for it.
    private static Exception? Unpack(ChunkPipe pipe, string root)
    {
        try
        {
            using var content = new ChunkPipeStream(pipe);
            using var reader = new TarReader(content, TarLimits.Default);
            using var tree = new TreeExtractor(root, new ExtractionRules(Whiteouts: false, RefuseDuplicates: false), TarLimits.Default);
            while (reader.Next() is { } entry)
            {
                tree.Extract(entry, entry.Name, entry.LinkName, reader);
            }

            tree.Finish();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            pipe.Abandon();
        }
    }
#pragma warning restore CA1031
}
