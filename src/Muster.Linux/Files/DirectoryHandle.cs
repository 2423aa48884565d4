using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Muster.Linux;

/// <summary>An open directory. Names below it are looked at by descriptor, so that a rename elsewhere cannot redirect the work.</summary>
public sealed class DirectoryHandle : SafeHandleMinusOneIsInvalid
{
    /// <summary>How deep a tree may be that is walked or removed; a path of 4096 bytes holds at most 2048 names.</summary>
    public const int MaxDepth = 2048;

    private DirectoryHandle(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>The descriptor; valid while the handle is not disposed.</summary>
    public int Descriptor => (int)handle;

    /// <summary>Opens a directory by path, the last part not being a link.</summary>
    public static DirectoryHandle Open(string path) => TryOpen(path) ?? throw LinuxException.Last("open", path);

    /// <summary>As <see cref="Open(string)"/>; null with the error in <see cref="FileCalls.Error"/>.</summary>
    public static DirectoryHandle? TryOpen(string path)
    {
        var fd = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path), FileCalls.DirectoryOnly | FileCalls.NoFollow);
        return fd < 0 ? null : new DirectoryHandle(fd);
    }

    /// <summary>Opens a directory in this one, not through a link; null with the error in <see cref="FileCalls.Error"/>.</summary>
    public DirectoryHandle? TryOpen(ReadOnlySpan<byte> name)
    {
        var fd = FileCalls.Open(Descriptor, name, FileCalls.DirectoryOnly | FileCalls.NoFollow);
        return fd < 0 ? null : new DirectoryHandle(fd);
    }

    /// <summary>Opens a directory by path with this one as the root: links, absolute ones too, are followed but stay inside; null when there is none.</summary>
    public DirectoryHandle? TryOpenInRoot(string path)
    {
        var fd = FileCalls.OpenBelow(Descriptor, FileCalls.Terminated(path.TrimStart('/') is { Length: > 0 } inside ? inside : "."), FileCalls.DirectoryOnly, FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks);
        return fd < 0 ? null : new DirectoryHandle(fd);
    }

    /// <summary>The names in the directory, NUL-terminated, without . and .., in byte order.</summary>
    public List<byte[]> Names() => NamesUpTo(int.MaxValue)!;

    /// <summary>The same where there are not more than <paramref name="most"/>; null, and no more is read, where there are.</summary>
    public List<byte[]>? NamesUpTo(int most)
    {
        var names = new List<byte[]>();
        var buffer = new byte[65536];
        if (FileCalls.Seek(Descriptor, 0) < 0)
        {
            throw LinuxException.Last("lseek");
        }

        int length;
        while ((length = FileCalls.ReadDirectory(Descriptor, buffer)) > 0)
        {
            for (var at = 0; at < length;)
            {
                var record = BitConverter.ToUInt16(buffer, at + 16);
                var name = buffer.AsSpan(at + 19, record - 19);
                name = name[..name.IndexOf((byte)0)];
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    if (names.Count >= most)
                    {
                        return null;
                    }

                    names.Add([.. name, 0]);
                }

                at += record;
            }
        }

        if (length < 0)
        {
            throw LinuxException.Last("getdents64");
        }

        names.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    /// <summary>Removes a name and everything below it, following no link and entering no mount. What is gone already is no error.</summary>
    public void RemoveAll(ReadOnlySpan<byte> name) => TreeRemoval.Remove(Descriptor, name);

    /// <summary>Removes a path and everything below it, following no link and entering no mount. What is gone already is no error.</summary>
    public static void RemoveAll(string path) => TreeRemoval.Remove(FileCalls.AtCurrentDirectory, FileCalls.Terminated(path));

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => FileCalls.Close((int)handle) == 0;
}
