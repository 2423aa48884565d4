using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Linux;

/// <summary>Extended attributes of a name in an open directory, links not followed (xattr(7)).</summary>
public static unsafe partial class ExtendedAttributes
{
    /// <summary>The largest value and the longest list that the kernel keeps (XATTR_SIZE_MAX, XATTR_LIST_MAX).</summary>
    public const int MaxBytes = 65536;

    /// <summary>Sets an attribute by descriptor (not an O_PATH one); -1 on error.</summary>
    public static int Set(int descriptor, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* name = attribute, data = value)
        {
            return fsetxattr(descriptor, name, data, (nuint)value.Length, 0);
        }
    }

    /// <summary>Sets an attribute of a name in a directory, the way through /proc because there is no setxattrat on older kernels.</summary>
    public static int Set(int directory, ReadOnlySpan<byte> file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* path = Through(directory, file), name = attribute, data = value)
        {
            return lsetxattr(path, name, data, (nuint)value.Length, 0);
        }
    }

    /// <summary>Every attribute of a name in a directory, in the order of their names; names without the NUL.</summary>
    public static IReadOnlyList<KeyValuePair<byte[], byte[]>> List(int directory, ReadOnlySpan<byte> file)
    {
        var through = Through(directory, file);
        var names = new byte[1024];
        fixed (byte* path = through)
        {
            nint length;
            while ((length = Fill(path, names)) < 0)
            {
                if (FileCalls.Error == Errno.ENOTSUP)
                {
                    return [];
                }

                if (FileCalls.Error != Errno.ERANGE || names.Length >= MaxBytes)
                {
                    throw LinuxException.Last("llistxattr", Encoding.UTF8.GetString(file));
                }

                names = new byte[MaxBytes];
            }

            return length == 0 ? [] : Read(path, names.AsSpan(0, (int)length), file);
        }

        static nint Fill(byte* path, byte[] names)
        {
            fixed (byte* to = names)
            {
                return llistxattr(path, to, (nuint)names.Length);
            }
        }
    }

    private static List<KeyValuePair<byte[], byte[]>> Read(byte* path, ReadOnlySpan<byte> names, ReadOnlySpan<byte> file)
    {
        var found = new List<KeyValuePair<byte[], byte[]>>();
        var buffer = new byte[MaxBytes];
        while (names.Length > 0)
        {
            var end = names.IndexOf((byte)0);
            var name = names[..end].ToArray();
            fixed (byte* attribute = names, to = buffer)
            {
                var n = lgetxattr(path, attribute, to, (nuint)buffer.Length);
                if (n < 0 && FileCalls.Error != Errno.ENODATA)
                {
                    throw LinuxException.Last("lgetxattr", Encoding.UTF8.GetString(file));
                }

                if (n >= 0)
                {
                    found.Add(new(name, buffer.AsSpan(0, (int)n).ToArray()));
                }
            }

            names = names[(end + 1)..];
        }

        found.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        return found;
    }

    private static byte[] Through(int directory, ReadOnlySpan<byte> file)
    {
        var prefix = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory}/"));
        var end = file.IndexOf((byte)0);
        var name = end < 0 ? file : file[..end];
        var path = new byte[prefix.Length + name.Length + 1];
        prefix.CopyTo(path, 0);
        name.CopyTo(path.AsSpan(prefix.Length));
        return path;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsetxattr(int fd, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int lsetxattr(byte* path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint llistxattr(byte* path, byte* list, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint lgetxattr(byte* path, byte* name, byte* value, nuint size);
}
