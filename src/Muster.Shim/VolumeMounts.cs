using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// Mounts the host's volumes in the pod directory, where no app can put anything in their place: a source is opened once, without
/// following any symbolic link, and what was opened is mounted. The OCI runtime binds from there.
/// </summary>
internal static class VolumeMounts
{
    /// <summary>Makes one <c>volume</c> mount and its target, which is called like the volume.</summary>
    public static void Make(PlannedMount mount, int userNamespace)
    {
        var source = Open(mount);
        try
        {
            Make(mount, source, userNamespace);
        }
        finally
        {
            Descriptors.Close(source);
        }
    }

    /// <summary>
    /// Before an app is started again: mounts anew what is another file or folder by now (a file is replaced by renaming another
    /// over it). The apps that run keep what they have.
    /// </summary>
    public static void Renew(SupervisionPlan plan)
    {
        foreach (var mount in plan.Mounts.Where(m => m.Type == "volume"))
        {
            var source = Open(mount);
            var users = -1;
            try
            {
                var (now, before) = (FileStatus.Read(source), FileStatus.Find(mount.Target));
                if (before is { } b && (b.FileSystem, b.Inode, b.Type) == (now.FileSystem, now.Inode, now.Type))
                {
                    continue;
                }

                Mount.Detach(mount.Target);
                users = mount.IdMap.Count > 0 ? PodUsers.Open(mount.IdMap) : -1;
                Make(mount, source, users);
            }
            finally
            {
                Descriptors.Close(users);
                Descriptors.Close(source);
            }
        }
    }

    private static int Open(PlannedMount mount)
    {
        try
        {
            return MountTree.OpenPlace(mount.Source!);
        }
        catch (LinuxException e) when (e.Errno == Errno.ELOOP)
        {
            throw new MusterException(ErrorKind.Forbidden, $"The source {mount.Source} of volume \"{Name(mount)}\" leads through a symbolic link by now: put the place itself back there, or name the path that the link leads to", e);
        }
        catch (LinuxException e)
        {
            throw new MusterException(ErrorKind.NotFound, $"The source {mount.Source} of volume \"{Name(mount)}\" cannot be used ({e.Message}): make it first, a volume's source is never created", e);
        }
    }

    private static void Make(PlannedMount mount, int source, int userNamespace)
    {
        MakePlace(mount.Target, FileStatus.Read(source).Type == FileStatus.Folder);
        var options = mount.Options?.Split(',') ?? [];
        var recursive = options.Contains("recursive");
        var tree = MountTree.Clone(source, recursive, mount.Source!);
        try
        {
            if (userNamespace >= 0)
            {
                tree = Map(mount, source, tree, userNamespace, recursive, plainToo: options.Contains("plain-too"));
            }

            MountTree.Attach(tree, mount.Target);
        }
        finally
        {
            Descriptors.Close(tree);
        }
    }

    // The clone itself, or another where mapping came halfway through the mounts below.
    private static int Map(PlannedMount mount, int source, int tree, int userNamespace, bool recursive, bool plainToo)
    {
        try
        {
            IdMappedMount.Map(tree, userNamespace, recursive, mount.Source!);
            return tree;
        }
        catch (LinuxException e) when (!plainToo)
        {
            throw new MusterException(ErrorKind.Unsupported, $"Volume \"{Name(mount)}\" cannot be given to the pod's users: {e.Message}", e);
        }
        catch (LinuxException)
        {
            var plain = MountTree.Clone(source, recursive, mount.Source!);
            Descriptors.Close(tree);
            return plain;
        }
    }

    // What is mounted there in another mount namespace is not to be seen here: the place is an empty folder or file.
    private static void MakePlace(string place, bool isFolder)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(place)!, (UnixFileMode)0b111_001_001);
        if (isFolder)
        {
            if (File.Exists(place))
            {
                File.Delete(place);
            }

            Directory.CreateDirectory(place);
            return;
        }

        if (Directory.Exists(place))
        {
            Directory.Delete(place, recursive: false);
        }

        File.WriteAllText(place, "");
    }

    private static string Name(PlannedMount mount) => Path.GetFileName(mount.Target);
}
