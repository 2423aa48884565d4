using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>
/// Idmapped bind mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): a tree owned by root appears owned by a user namespace's root.
/// For lower directories of an overlay and for volumes, not for uppers: over an idmapped one the kernel mounts read-only without a word.
/// </summary>
public static unsafe partial class IdMappedMount
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint OPEN_TREE_CLONE = 1;
    private const uint OPEN_TREE_CLOEXEC = 0x80000;
    private const uint AT_RECURSIVE = 0x8000;
    private const ulong MOUNT_ATTR_RDONLY = 1;
    private const ulong MOUNT_ATTR_IDMAP = 0x00100000;

    /// <summary>Mounts an idmapped clone of <paramref name="source"/>, a folder or a file, at <paramref name="target"/>.</summary>
    /// <param name="recursive">Whether the mounts below the source come along, mapped as well.</param>
    /// <exception cref="LinuxException">EINVAL where a file system cannot be mapped.</exception>
    public static void Make(string source, string target, int userNamespace, bool readOnly = true, bool recursive = false)
    {
        var tree = Clone(source, userNamespace, readOnly, recursive);
        try
        {
            LinuxException.Check(syscall_move_mount(429, tree, "", -100, target, 4 /* MOVE_MOUNT_F_EMPTY_PATH */), "move_mount", target);
        }
        finally
        {
            Descriptors.Close(tree);
        }
    }

    /// <summary>Why <see cref="Make"/> would fail, or null; nothing is mounted anywhere.</summary>
    public static LinuxException? Refusal(string source, int userNamespace, bool recursive)
    {
        try
        {
            Descriptors.Close(Clone(source, userNamespace, readOnly: false, recursive));
            return null;
        }
        catch (LinuxException e)
        {
            return e;
        }
    }

    private static int Clone(string source, int userNamespace, bool readOnly, bool recursive)
    {
        var deep = recursive ? AT_RECURSIVE : 0;
        var tree = (int)LinuxException.Check(syscall_open_tree(428, -100, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep), "open_tree", source);
        var attributes = new MountAttr { Set = MOUNT_ATTR_IDMAP | (readOnly ? MOUNT_ATTR_RDONLY : 0), UserNamespace = (ulong)userNamespace };
        if (syscall_mount_setattr(442, tree, "", AT_EMPTY_PATH | deep, &attributes, (nuint)sizeof(MountAttr)) == 0)
        {
            return tree;
        }

        var failure = LinuxException.Last("mount_setattr", source);
        Descriptors.Close(tree);
        throw failure;
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
    private static partial long syscall_open_tree(long number, int directory, string path, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial long syscall_mount_setattr(long number, int directory, string path, uint flags, MountAttr* attributes, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial long syscall_move_mount(long number, int from, string fromPath, int to, string toPath, uint flags);
}
