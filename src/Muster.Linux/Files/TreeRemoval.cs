using System.Text;

namespace Muster.Linux;

/// <summary>
/// Removes trees that others made: names may be any bytes, millions may stand in one folder, and folders may be nested deeper than
/// a path is long. Everything is done by descriptor and byte name; no link is followed and no mount is entered.
/// </summary>
internal static class TreeRemoval
{
    /// <summary>Folders that are open at once, one in the other. What lies deeper is moved to the top of the tree first.</summary>
    private const int MaxOpen = 32;

    private const int BufferSize = 32 * 1024;

    /// <summary>Removes a name and everything below it. What is gone already is no error.</summary>
    public static void Remove(int parent, ReadOnlySpan<byte> name)
    {
        if (TryRemoveAlone(parent, name))
        {
            return;
        }

        // It may itself be reached through mounts; from here on they are somebody else's.
        var top = LinuxException.Check(FileCalls.Open(parent, name, FileCalls.DirectoryOnly | FileCalls.NoFollow), "open", Display(name));
        try
        {
            var moved = 0;
            Empty(top, top, 1, ref moved);
        }
        finally
        {
            _ = FileCalls.Close(top);
        }

        RemoveFolder(parent, name);
    }

    // What is read from a folder is removed before more is read from its beginning: it never has to be held whole.
    private static void Empty(int top, int folder, int depth, ref int moved)
    {
        // A directory without its write bit would keep an unprivileged owner from emptying it.
        if (FileCalls.EffectiveUser != 0)
        {
            _ = FileCalls.ChangeMode(folder, 0x1c0);
        }

        var buffer = new byte[BufferSize];
        bool found;
        do
        {
            found = false;
            LinuxException.Check(FileCalls.Seek(folder, 0), "lseek");
            var length = LinuxException.Check(FileCalls.ReadDirectory(folder, buffer), "getdents64");
            for (var at = 0; at < length; at += BitConverter.ToUInt16(buffer, at + 16))
            {
                var name = buffer.AsSpan(at + 19, BitConverter.ToUInt16(buffer, at + 16) - 19);
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                {
                    found = true;
                    Take(top, folder, name, depth, ref moved);
                }
            }
        }
        while (found);
    }

    private static void Take(int top, int folder, ReadOnlySpan<byte> name, int depth, ref int moved)
    {
        if (TryRemoveAlone(folder, name))
        {
            return;
        }

        if (depth >= MaxOpen)
        {
            MoveUp(top, folder, name, ref moved);
            return;
        }

        var inner = LinuxException.Check(FileCalls.OpenBelow(folder, name, FileCalls.DirectoryOnly | FileCalls.NoFollow, FileCalls.ResolveNoCrossDevice | FileCalls.ResolveNoSymlinks), "open", Display(name));
        try
        {
            Empty(top, inner, depth + 1, ref moved);
        }
        finally
        {
            _ = FileCalls.Close(inner);
        }

        RemoveFolder(folder, name);
    }

    private static void MoveUp(int top, int folder, ReadOnlySpan<byte> name, ref int moved)
    {
        do
        {
            if (FileCalls.Rename(folder, name, top, FileCalls.Terminated($".deep-{moved++}")) == 0)
            {
                return;
            }
        }
        while (FileCalls.Error is Errno.EEXIST or Errno.ENOTEMPTY or Errno.ENOTDIR);
        throw LinuxException.Last("rename", Display(name));
    }

    // True for anything but a folder that has something in it.
    private static bool TryRemoveAlone(int parent, ReadOnlySpan<byte> name)
    {
        if (FileCalls.Remove(parent, name, isDirectory: false) == 0 || FileCalls.Error == Errno.ENOENT)
        {
            return true;
        }

        var error = FileCalls.Error;
        if (error is Errno.EISDIR or Errno.EPERM && FileCalls.Remove(parent, name, isDirectory: true) == 0)
        {
            return true;
        }

        return error is Errno.EISDIR or Errno.EPERM && FileCalls.Error is not Errno.ENOTDIR
            ? false
            : throw new LinuxException("unlinkat", error, Display(name));
    }

    private static void RemoveFolder(int parent, ReadOnlySpan<byte> name)
    {
        if (FileCalls.Remove(parent, name, isDirectory: true) < 0 && FileCalls.Error != Errno.ENOENT)
        {
            throw LinuxException.Last("rmdir", Display(name));
        }
    }

    private static string Display(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name).TrimEnd('\0');
}
