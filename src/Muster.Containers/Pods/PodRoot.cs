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

    /// <summary>The folders that make the root, topmost first: what the app wrote, then its image.</summary>
    public IReadOnlyList<string> Folders => [Path.Combine(_pod.Path, "apps", _app.Name, "upper"), .. _app.Trees.Select(t => Path.Combine(_store.Root.Images, "trees", t, "rootfs"))];

    /// <summary>Writes the app's root as it is now as an ACI (uncompressed) that runs as the app did.</summary>
    public void Export(Stream to, CancellationToken ct)
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
        var tar = new TarWriter(to);
        AciWriter.Write(tar, manifest, writer => TreeArchiver.Write(Folders, writer, new ArchiveRules("rootfs"), ct));
    }

    /// <summary>Copies <paramref name="path"/> of the app to a path of the host; a folder with everything in it.</summary>
    public void CopyOut(string path, string target)
    {
        var (folder, name) = Split(path);
        using var parent = OpenInside(folder);
        var (targetFolder, targetName) = Target(target, name, Directory.Exists(target));
        Transfer("/proc/self/fd/3", parent.Descriptor, name, targetFolder, targetName, path);
    }

    /// <summary>Copies a path of the host into the app. The app's processes stand still meanwhile, so that none can turn a folder into a link.</summary>
    public void CopyIn(string source, string path)
    {
        if (!Path.Exists(source))
        {
            throw new MusterException(ErrorKind.NotFound, $"There is no {source} to copy");
        }

        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)));
        DirectoryHandle? inside = path.EndsWith('/') ? OpenInside(path) : TryOpenInside(path);
        var targetName = name;
        if (inside is null)
        {
            (var folder, targetName) = Split(path);
            inside = OpenInside(folder);
        }

        using (inside)
        {
            Transfer(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)))!, -1, name, $"/proc/self/fd/{inside.Descriptor}/.", targetName, source);
        }
    }

    /// <summary>One tar of <paramref name="name"/> below <paramref name="folder"/>, unpacked under another name without following a link.</summary>
    private static void Transfer(string folder, int descriptor, string name, string targetFolder, string targetName, string what)
    {
        var (read, write) = Descriptors.Pipe();
        int pid;
        try
        {
            ReadOnlySpan<(int, int)> extra = descriptor < 0 ? [] : [(descriptor, 3)];
            pid = Spawn.Start("/bin/tar", ["tar", "-C", folder, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--sparse", "-cf", "-", "--", "./" + name], ["PATH=/usr/bin:/bin"], stdout: write, stderr: -1, extra: extra);
        }
        finally
        {
            Descriptors.Close(write);
        }

        try
        {
            using var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(read, ownsHandle: true), FileAccess.Read, 0);
            using var tar = new TarReader(stream, TarLimits.Default);
            using var tree = new TreeExtractor(targetFolder, new ExtractionRules(Whiteouts: false, RefuseDuplicates: false), TarLimits.Default);
            var prefix = Encoding.UTF8.GetBytes("./" + name);
            var replacement = Encoding.UTF8.GetBytes(targetName);
            while (tar.Next() is { } entry)
            {
                tree.Extract(entry, Rename(entry.Name, prefix, replacement), Rename(entry.LinkName, prefix, replacement), tar);
            }

            tree.Finish();
        }
        catch (Exception)
        {
            // Our end of the pipe is closed by now, so tar ends. Where it found nothing to read, that says more than our reader's complaint.
            if (Spawn.Wait(pid) == 2)
            {
                throw Unreadable(what);
            }

            throw;
        }

        if (Spawn.Wait(pid) != 0)
        {
            throw Unreadable(what);
        }
    }

    private static MusterException Unreadable(string what) => new(ErrorKind.NotFound, $"{what} could not be read: check that it exists");

    private static byte[] Rename(byte[] name, byte[] prefix, byte[] replacement) =>
        name.AsSpan().StartsWith(prefix) ? [.. replacement, .. name.AsSpan(prefix.Length)] : name;

    private static (string Folder, string Name) Target(string target, string name, bool isFolder)
    {
        var full = Path.GetFullPath(target);
        return isFolder ? (full, name) : (Path.GetDirectoryName(full) is { } folder && Directory.Exists(folder)
            ? folder
            : throw new MusterException(ErrorKind.NotFound, $"The folder of {target} does not exist: make it first"), Path.GetFileName(full));
    }

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
