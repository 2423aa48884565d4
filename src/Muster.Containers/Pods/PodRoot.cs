using System.Text;
using Muster.Containers.Accounts;
using Muster.Core;
using Muster.Images;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Containers.Pods;

/// <summary>An app's files from outside: copied in and out, and taken as an image of their own.</summary>
public sealed class PodRoot
{
    // The statuses of GNU tar: files that changed or vanished while they were read, and what could not be read at all.
    private const int TarDiffers = 1;
    private const int TarFailed = 2;

    private readonly PodStore _store;
    private readonly PodDirectory _pod;
    private readonly PodRecord _record;
    private readonly AppRecord _app;

    public PodRoot(PodStore store, PodDirectory pod, PodRecord record, AppRecord app)
    {
        _store = store;
        _pod = pod;
        _record = record;
        _app = app;
    }

    /// <summary>Told, in a sentence, what is otherwise than the user may expect though it was copied.</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>The folders that make the root, topmost first: what the app wrote, then its image.</summary>
    public IReadOnlyList<string> Folders => [Path.Combine(_pod.Path, "apps", _app.Name, "upper"), .. _app.Trees.Select(t => Path.Combine(_store.Root.Images, "trees", t, "rootfs"))];

    /// <summary>Writes the app's root as it is now as an ACI (uncompressed) that runs as the app did.</summary>
    public void Export(OutputFile to, CancellationToken ct)
    {
        if (_record.IdMap.Count > 0)
        {
            throw new MusterException(ErrorKind.Unsupported, "The files of a pod with --private-users have shifted owners and cannot be exported: run it without, and export that");
        }

        var template = new AppTemplate
        {
            Exec = _app.Arguments,
            User = _app.Uid.ToString(),
            Group = _app.Gid.ToString(),
            SupplementaryGids = _app.SupplementaryGids,
            WorkingDirectory = _app.WorkingDirectory,
            Environment = [.. _app.Environment.Select(e => e.Split('=', 2)).Where(p => p[0] is not ("AC_APP_NAME" or "container")).Select(p => new NameValue(p[0], p[1]))],
            EventHandlers = _app.EventHandlers,
            Ports = _app.Ports,
            MountPoints = [.. _app.Mounts.Select(m => new MountPoint(m.Volume, m.Target, m.ReadOnly))],
        };
        var name = AcName.IsIdentifier(_app.ImageName) ? _app.ImageName : AcName.Sanitize(_app.ImageName);
        var manifest = AciWriter.Manifest(name, [new NameValue("os", "linux")], template, [], []);
        var tar = new TarWriter(to.Stream) { LeavesHoles = to.IsNew };
        AciWriter.Write(tar, manifest, writer => TreeArchiver.Write(Folders, writer, new ArchiveRules("rootfs"), ct));
    }

    /// <summary>
    /// Copies <paramref name="path"/> of the app to a path of the host; a folder with everything in it, with <c>/.</c> at its end only what
    /// is in it. What is a folder is copied into; a device or a pipe is written to; links of the host are followed, those of the app are copied.
    /// Nothing comes out setuid: the app's root would choose what the host's users may run as root.
    /// </summary>
    public void CopyOut(string path, string target)
    {
        var (bare, isContent) = Bare(path);
        var (folder, name) = Split(bare);
        using var parent = OpenInside(folder);
        if (!FileStatus.TryRead(parent.Descriptor, FileCalls.Terminated(name), out var source))
        {
            throw Unreadable(path);
        }

        var isFolder = source.Type == FileStatus.Folder;
        RequireFolder(isFolder, isContent, path);
        var to = FollowLinks(target);
        var there = FileStatus.Find(to);
        switch (there?.Type)
        {
            case FileStatus.Folder when isContent:
                using (var inside = parent.TryOpen(FileCalls.Terminated(name)) ?? throw Unreadable(path))
                {
                    Transfer(inside.Descriptor, ".", to, ".", path);
                }

                return;
            case FileStatus.Folder:
                Transfer(parent.Descriptor, name, to, name, path);
                return;
            case not null when isFolder:
                throw new MusterException(ErrorKind.Conflict, $"{target} is no folder, and {path} is one: choose another target, or remove that file");
            case not (null or FileStatus.Regular):
                WriteTo(parent, name, to, path);
                return;
            default:
                if (there is null && target.EndsWith('/') && !isFolder)
                {
                    throw new MusterException(ErrorKind.NotFound, $"The folder {target} does not exist: make it first");
                }

                Transfer(parent.Descriptor, name, FolderOf(to, target), Path.GetFileName(to), path);
                return;
        }
    }

    /// <summary>
    /// Copies a path of the host into the app, by the rules of <see cref="CopyOut"/>. The app's processes stand still meanwhile, so that
    /// none can turn a folder into a link.
    /// </summary>
    public void CopyIn(string source, string path)
    {
        var (bare, isContent) = Bare(source);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(bare));
        var from = FileStatus.Find(full) ?? throw new MusterException(ErrorKind.NotFound, $"There is no {source} to copy");
        var isFolder = from.Type == FileStatus.Folder;
        RequireFolder(isFolder, isContent, source);
        using var parent = DirectoryHandle.Open(isContent ? full : Path.GetDirectoryName(full) ?? "/");
        var name = isContent ? "." : Path.GetFileName(full);
        if (name.Length == 0)
        {
            throw new MusterException(ErrorKind.Usage, $"\"{source}\" names no file or folder that could be copied");
        }

        using (var inside = TryOpenInside(path))
        {
            if (inside is not null)
            {
                Transfer(parent.Descriptor, name, $"/proc/self/fd/{inside.Descriptor}/.", name, source, isInto: true);
                return;
            }
        }

        if (path.EndsWith('/') && !isFolder)
        {
            throw new MusterException(ErrorKind.NotFound, $"App \"{_app.Name}\" has no folder {path}");
        }

        var (folder, targetName) = Split(path);
        using var above = OpenInside(folder);
        if (FileStatus.TryRead(above.Descriptor, FileCalls.Terminated(targetName), out var there) && (isFolder || there.Type is not (FileStatus.Regular or FileStatus.Symlink)))
        {
            throw new MusterException(ErrorKind.Conflict, $"{path} of app \"{_app.Name}\" is {(isFolder ? "no folder, and what is copied is one" : "neither a file nor a folder")}: choose another target");
        }

        Transfer(parent.Descriptor, name, $"/proc/self/fd/{above.Descriptor}/.", targetName, source, isInto: true);
    }

    // "folder/." stands for what is in the folder.
    private static (string Path, bool IsContent) Bare(string path) =>
        path is "." ? (path, true) : path.EndsWith("/.", StringComparison.Ordinal) ? (path.Length == 2 ? "/" : path[..^2], true) : (path, false);

    private static void RequireFolder(bool isFolder, bool isContent, string path)
    {
        if (isContent && !isFolder)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} means what is in a folder, and that is none");
        }
    }

    private static string FollowLinks(string target)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        return FileStatus.Find(full) is not { Type: FileStatus.Symlink } ? full
            : Path.Exists(full) ? PathBehind(full)
            : throw new MusterException(ErrorKind.NotFound, $"{target} is a link that leads to nothing: remove it, or choose another target");
    }

    private static string PathBehind(string link)
    {
        try
        {
            return RealPath.Resolve(link);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            // A pipe of the caller's, as behind /dev/stdout, has no path but can be opened by the link.
            return link;
        }
    }

    private static string FolderOf(string full, string target) => Path.GetDirectoryName(full) is { } folder && Directory.Exists(folder)
        ? folder
        : throw new MusterException(ErrorKind.NotFound, $"The folder of {target} does not exist: make it first");

    private static void WriteTo(DirectoryHandle parent, string name, string target, string what)
    {
        using var from = RegularFile.TryOpen(parent.Descriptor, FileCalls.Terminated(name), out var isOther)
            ?? throw (isOther ? new MusterException(ErrorKind.Conflict, $"{what} is no file whose content could be written to {target}") : Unreadable(what));
        using var to = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        from.CopyTo(to);
    }

    /// <summary>One tar of <paramref name="name"/> below an open folder, unpacked under another name without following a link.</summary>
    private void Transfer(int descriptor, string name, string targetFolder, string targetName, string what, bool isInto = false)
    {
        // Owners of the one side mean nothing on the other where they are shifted: what comes in is the pod's root's, what comes out root's.
        var owner = _record.IdMap.Count == 0 ? [] : isInto ? Owned(_record.IdMap.FirstOrDefault(r => r.Inside == 0)?.Outside ?? 0) : Owned(0);
        static string[] Owned(uint id) => [$"--owner=:{id}", $"--group=:{id}"];
        var (read, write) = Descriptors.Pipe();
        int pid;
        try
        {
            pid = Spawn.Start("/bin/tar", ["tar", "-C", "/proc/self/fd/3", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--sparse", .. owner, "-cf", "-", "--", name == "." ? name : "./" + name], ["PATH=/usr/bin:/bin"], stdout: write, stderr: -1, extra: [(descriptor, 3)]);
        }
        finally
        {
            Descriptors.Close(write);
        }

        string? privileged;
        try
        {
            privileged = Unpack(read, name, targetFolder, targetName, what, isInto);
        }
        catch (LinuxException e) when (e.Errno == Errno.EOVERFLOW && _record.IdMap.Count > 0)
        {
            // The host's root is nobody in a mapped mount: it can make nothing there.
            _ = Spawn.Wait(pid);
            throw new MusterException(ErrorKind.Unsupported, $"The target lies in a volume of the host that is mapped to the pod's users (--private-users): copy {what} to the volume's source on the host", e);
        }
        catch (Exception e)
        {
            // Our end of the pipe is closed by now, so tar ends. Where it found nothing to read, that says more than our reader's complaint.
            if (Spawn.Wait(pid) == TarFailed)
            {
                throw Unreadable(what);
            }

            var explained = Explain(e, what);
            if (ReferenceEquals(explained, e))
            {
                throw;
            }

            throw explained;
        }

        var status = Spawn.Wait(pid);
        if (status == TarDiffers)
        {
            Warn($"{what} changed while it was copied: what came may be of two moments, copy it again when it stands still");
        }
        else if (status != 0)
        {
            throw Unreadable(what);
        }

        if (privileged is not null)
        {
            Warn($"{privileged} came without its setuid and setgid bits and capabilities, as all that had any: give them back by hand where that is meant");
        }
    }

    /// <summary>Takes the tar from a pipe, which it closes; returns the first name that lost what made it more than a program.</summary>
    private string? Unpack(int read, string name, string targetFolder, string targetName, string what, bool isInto)
    {
        using var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(read, ownsHandle: true), FileAccess.Read, 0);
        using var tar = new TarReader(stream, TarLimits.Default);
        using var tree = new TreeExtractor(targetFolder, new ExtractionRules(Whiteouts: false, RefuseDuplicates: false, IsShared: true), TarLimits.Default);
        var prefix = name == "." ? [] : Encoding.UTF8.GetBytes("./" + name);
        var replacement = Encoding.UTF8.GetBytes(targetName);
        string? privileged = null;
        while (tar.Next() is { } entry)
        {
            // Of another owner, or before other users, these bits mean something else than where they were set.
            if (entry.HasPrivileges && (!isInto || _record.IdMap.Count > 0))
            {
                privileged ??= entry.DisplayName;
                entry = entry.WithoutPrivileges();
            }

            // The folder itself, where only what is in it is wanted.
            if (name == "." && entry.Name.AsSpan().TrimEnd((byte)'/').SequenceEqual("."u8))
            {
                continue;
            }

            // The app cannot use a device that it made; on the host it would be the host's disk, open to whom the app says.
            if (!isInto && entry.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
            {
                throw new MusterException(ErrorKind.Forbidden, $"{what} has the device {entry.DisplayName}, which would be one of the host's: copy what you want of it by name");
            }

            tree.Extract(entry, Rename(entry.Name, prefix, replacement), Rename(entry.LinkName, prefix, replacement), tar);
        }

        tree.Finish();
        // tar fills its last record with zeros: a pipe that closed before that would end it with a signal.
        stream.CopyTo(Stream.Null);
        return privileged;
    }

    // What speaks of an archive, or of a root of ours, is about neither here.
    private static Exception Explain(Exception e, string what) => e switch
    {
        MusterException { Kind: ErrorKind.Invalid or ErrorKind.Exhausted or ErrorKind.Corrupt } refusal => new MusterException(refusal.Kind, $"{what} cannot be copied: {refusal.Message}", e),
        LinuxException { Errno: Errno.EROFS } => new MusterException(ErrorKind.Forbidden, $"{what} cannot be copied there, because that file system is read-only: choose another target", e),
        _ => e,
    };

    private static MusterException Unreadable(string what) => new(ErrorKind.NotFound, $"{what} could not be read: check that it exists");

    private static byte[] Rename(byte[] name, byte[] prefix, byte[] replacement) =>
        prefix.Length > 0 && name.AsSpan().StartsWith(prefix) ? [.. replacement, .. name.AsSpan(prefix.Length)] : name;

    private static (string Folder, string Name) Split(string path)
    {
        var trimmed = path.TrimEnd('/');
        var slash = trimmed.LastIndexOf('/');
        var name = trimmed[(slash + 1)..];
        return name is "" or "." or ".."
            ? throw new MusterException(ErrorKind.Usage, $"\"{path}\" names no file or folder that could be copied")
            : (slash <= 0 ? "/" : trimmed[..slash], name);
    }

    private DirectoryHandle OpenInside(string path) =>
        TryOpenInside(path) ?? throw new MusterException(ErrorKind.NotFound, $"App \"{_app.Name}\" has no folder {path}");

    // openat2 with RESOLVE_IN_ROOT: every link, absolute ones too, stays inside the app's root.
    private DirectoryHandle? TryOpenInside(string path)
    {
        var pid = _pod.ReadStatus()?.Apps.GetValueOrDefault(_app.Name)?.Pid;
        if (_store.StateOf(_pod) is not (PodState.Running or PodState.Paused or PodState.Orphaned) || pid is null)
        {
            throw new MusterException(ErrorKind.Conflict, $"Pod {_pod.Uuid} does not run: start it first, or take all its files with \"muster export\"");
        }

        using var root = DirectoryHandle.Open($"/proc/{pid}/root/.");
        return root.TryOpenInRoot(path);
    }
}
