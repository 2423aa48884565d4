using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Muster.Linux;

/// <summary>One event of an <see cref="Inotify"/>: the watch, what happened, the name in the watched directory (empty for itself).</summary>
public readonly record struct InotifyEvent(int Watch, uint Mask, string Name);

/// <summary>Watches directories (inotify(7)); non-blocking, close-on-exec.</summary>
public sealed partial class Inotify : IDisposable
{
    public const uint Modify = 0x2;
    public const uint Create = 0x100;
    public const uint Delete = 0x200;
    public const uint MovedFrom = 0x40;
    public const uint MovedTo = 0x80;
    public const uint CloseWrite = 0x8;
    public const uint DeleteSelf = 0x400;
    public const uint MoveSelf = 0x800;
    public const uint OnlyDirectory = 0x01000000;

    /// <summary>Events were lost: what is watched must be read anew.</summary>
    public const uint Overflow = 0x4000;

    /// <summary>The watch is gone, because its directory is.</summary>
    public const uint Ignored = 0x8000;

    /// <summary>The name is a directory's.</summary>
    public const uint IsDirectory = 0x40000000;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int HeaderLength = 16;

    // Sixty-four events with the longest names.
    private readonly byte[] _buffer = new byte[64 * (HeaderLength + 256)];
    private readonly SafeFileHandle _handle;

    private Inotify(SafeFileHandle handle) => _handle = handle;

    /// <summary>The descriptor, readable when there are events.</summary>
    public int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Makes one; null with the error in <see cref="FileCalls.Error"/> when the user has too many.</summary>
    public static Inotify? TryOpen()
    {
        var descriptor = inotify_init1(CloseOnExec | NonBlocking);
        return descriptor < 0 ? null : new Inotify(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Watches a path; the watch's number, or -1 with the error in <see cref="FileCalls.Error"/>.</summary>
    public int Add(string path, uint mask) => inotify_add_watch(_handle, path, mask);

    /// <summary>Ends a watch; one that is gone is no error.</summary>
    public void Remove(int watch) => _ = inotify_rm_watch(_handle, watch);

    /// <summary>Adds the events that are there to <paramref name="events"/>; nothing when there are none.</summary>
    public void ReadAvailable(List<InotifyEvent> events)
    {
        int length;
        while ((length = FileCalls.Read(Descriptor, _buffer)) > 0)
        {
            var rest = _buffer.AsSpan(0, length);
            while (rest.Length >= HeaderLength)
            {
                var watch = BitConverter.ToInt32(rest);
                var mask = BitConverter.ToUInt32(rest[4..]);
                var nameLength = (int)BitConverter.ToUInt32(rest[12..]);
                var name = rest.Slice(HeaderLength, nameLength);
                var end = name.IndexOf((byte)0);
                events.Add(new InotifyEvent(watch, mask, Encoding.UTF8.GetString(end < 0 ? name : name[..end])));
                rest = rest[(HeaderLength + nameLength)..];
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(SafeFileHandle descriptor, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_rm_watch(SafeFileHandle descriptor, int watch);
}
