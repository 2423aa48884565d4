using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>
/// Idmapped bind mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): a tree owned by root appears owned by a user namespace's root.
/// Only for lower directories of an overlay: over an idmapped upper the kernel mounts read-only without a word.
/// </summary>
public static unsafe partial class IdMappedMount
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint OPEN_TREE_CLONE = 1;
    private const uint OPEN_TREE_CLOEXEC = 0x80000;
    private const ulong MOUNT_ATTR_RDONLY = 1;
    private const ulong MOUNT_ATTR_IDMAP = 0x00100000;

    /// <summary>Mounts a read-only idmapped clone of <paramref name="source"/> at <paramref name="target"/>.</summary>
    public static void Make(string source, string target, int userNamespace)
    {
        var tree = (int)LinuxException.Check(syscall_open_tree(428, -100, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), "open_tree", source);
        try
        {
            var attributes = new MountAttr { Set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY, UserNamespace = (ulong)userNamespace };
            LinuxException.Check(syscall_mount_setattr(442, tree, "", AT_EMPTY_PATH, &attributes, (nuint)sizeof(MountAttr)), "mount_setattr", source);
            LinuxException.Check(syscall_move_mount(429, tree, "", -100, target, 4 /* MOVE_MOUNT_F_EMPTY_PATH */), "move_mount", target);
        }
        finally
        {
            Descriptors.Close(tree);
        }
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
