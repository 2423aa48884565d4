using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux;

/// <summary>
/// Clones of mounts, held by a descriptor until they are attached somewhere (open_tree(2), move_mount(2), Linux 5.2): what was
/// looked at is what is mounted, whatever comes in its place meanwhile.
/// </summary>
public static partial class MountTree
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint OPEN_TREE_CLONE = 1;
    private const uint OPEN_TREE_CLOEXEC = 0x80000;
    private const uint AT_RECURSIVE = 0x8000;
    private const uint MOVE_MOUNT_F_EMPTY_PATH = 4;

    /// <summary>
    /// Opens a path that must not lead through a symbolic link anywhere (openat2(2), RESOLVE_NO_SYMLINKS); what is to be mounted
    /// there by an automounter is.
    /// </summary>
    /// <returns>A descriptor (O_PATH) of the file or folder, which the caller closes.</returns>
    /// <exception cref="LinuxException">ELOOP where it leads through a link.</exception>
    public static int OpenPlace(string path)
    {
        // With the slash a folder, and what an automounter puts there; anything else without.
        var place = FileCalls.OpenBelow(FileCalls.AtCurrentDirectory, Encoding.UTF8.GetBytes(path + "/\0"), FileCalls.PathOnly | FileCalls.DirectoryOnly, FileCalls.ResolveNoSymlinks);
        if (place < 0 && FileCalls.Error == Errno.ENOTDIR)
        {
            place = FileCalls.OpenBelow(FileCalls.AtCurrentDirectory, Encoding.UTF8.GetBytes(path + "\0"), FileCalls.PathOnly, FileCalls.ResolveNoSymlinks);
        }

        return place >= 0 ? place : throw LinuxException.Last("openat2", path);
    }

    /// <summary>A clone of what is at <paramref name="source"/>, links followed.</summary>
    /// <param name="source">A file or a folder.</param>
    /// <param name="recursive">Whether the mounts below it come along.</param>
    public static int Clone(string source, bool recursive) => Clone(FileCalls.AtCurrentDirectory, source, 0, recursive, source);

    /// <summary>A clone of what <paramref name="place"/> is open on; <paramref name="source"/> is its path, for the error.</summary>
    public static int Clone(int place, bool recursive, string source) => Clone(place, "", AT_EMPTY_PATH, recursive, source);

    /// <summary>Mounts a clone at <paramref name="target"/>, once; the descriptor is the caller's to close.</summary>
    public static void Attach(int tree, string target) =>
        LinuxException.Check(syscall_move_mount(429, tree, "", FileCalls.AtCurrentDirectory, target, MOVE_MOUNT_F_EMPTY_PATH), "move_mount", target);

    private static int Clone(int directory, string path, uint flags, bool recursive, string source) =>
        (int)LinuxException.Check(syscall_open_tree(428, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags | (recursive ? AT_RECURSIVE : 0)), "open_tree", source);

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial long syscall_open_tree(long number, int directory, string path, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial long syscall_move_mount(long number, int from, string fromPath, int to, string toPath, uint flags);
}
