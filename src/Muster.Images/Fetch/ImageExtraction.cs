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
            TreeArchiver.Write(lowers, tar, new ArchiveRules(), ct);
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
