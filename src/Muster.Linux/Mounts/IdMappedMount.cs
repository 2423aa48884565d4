using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>
/// Idmapped bind mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): a tree owned by root appears owned by a user namespace's root.
/// For lower directories of an overlay and for volumes, not for uppers: over an idmapped one the kernel mounts read-only without a word.
/// </summary>
public static unsafe partial class IdMappedMount
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint AT_RECURSIVE = 0x8000;
    private const ulong MOUNT_ATTR_RDONLY = 1;
    private const ulong MOUNT_ATTR_IDMAP = 0x00100000;

    /// <summary>Mounts an idmapped clone of <paramref name="source"/>, read-only, at <paramref name="target"/>.</summary>
    /// <exception cref="LinuxException">EINVAL where a file system cannot be mapped.</exception>
    public static void Make(string source, string target, int userNamespace)
    {
        var tree = MountTree.Clone(source, recursive: false);
        try
        {
            Map(tree, userNamespace, recursive: false, source, MOUNT_ATTR_RDONLY);
            MountTree.Attach(tree, target);
        }
        finally
        {
            Descriptors.Close(tree);
        }
    }

    /// <summary>Maps the owners of a clone that is not yet attached anywhere (<see cref="MountTree"/>).</summary>
    /// <param name="tree">The clone.</param>
    /// <param name="userNamespace">A descriptor of the user namespace whose map is taken.</param>
    /// <param name="recursive">Whether the mounts below are mapped as well.</param>
    /// <param name="source">What was cloned, for the error.</param>
    /// <exception cref="LinuxException">EINVAL where a file system cannot be mapped.</exception>
    public static void Map(int tree, int userNamespace, bool recursive, string source) => Map(tree, userNamespace, recursive, source, 0);

    /// <summary>Why <see cref="Map(int, int, bool, string)"/> of a clone of <paramref name="source"/> would fail, or null; nothing is mounted anywhere.</summary>
    public static LinuxException? Refusal(string source, int userNamespace, bool recursive)
    {
        var tree = -1;
        try
        {
            tree = MountTree.Clone(source, recursive);
            Map(tree, userNamespace, recursive, source);
            return null;
        }
        catch (LinuxException e)
        {
            return e;
        }
        finally
        {
            Descriptors.Close(tree);
        }
    }

    private static void Map(int tree, int userNamespace, bool recursive, string source, ulong more)
    {
        var attributes = new MountAttr { Set = MOUNT_ATTR_IDMAP | more, UserNamespace = (ulong)userNamespace };
        LinuxException.Check(syscall_mount_setattr(442, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, (nuint)sizeof(MountAttr)), "mount_setattr", source);
    }

    /// <summary>
    /// A descriptor of a new user namespace with the given map. A multi-threaded process cannot make one itself, so
    /// util-linux's unshare holds it for the moment that it takes to open it.
    /// </summary>
    public static int OpenUserNamespace(string map)
    {
        var (read, write) = Descriptors.Pipe();
        int pid;
        try
        {
            pid = Spawn.Start("/usr/bin/unshare", ["unshare", "--user", "cat"], ["PATH=/usr/bin:/bin"], stdin: read);
        }
        finally
        {
            Descriptors.Close(read);
        }

        try
        {
            var ours = ReadLink("/proc/self/ns/user");
            var deadline = Environment.TickCount64 + 5000;
            while (ReadLink($"/proc/{pid}/ns/user") is var theirs && (theirs.Length == 0 || theirs == ours))
            {
                if (Environment.TickCount64 > deadline)
                {
                    throw new LinuxException("unshare", Errno.ETIMEDOUT, "user namespace");
                }

                _ = Descriptors.Poll([], 1);
            }

            File.WriteAllText($"/proc/{pid}/uid_map", map);
            File.WriteAllText($"/proc/{pid}/gid_map", map);
            return DescriptorLock.Open($"/proc/{pid}/ns/user");
        }
        finally
        {
            Descriptors.Close(write);
            Signals.Send(pid, Signals.SIGKILL);
            Spawn.Wait(pid);
        }
    }

    private static string ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MountAttr
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial long syscall_mount_setattr(long number, int directory, string path, uint flags, MountAttr* attributes, nuint size);
}
