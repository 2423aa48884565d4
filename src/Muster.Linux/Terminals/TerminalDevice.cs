using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>Terminals: raw mode and window size (termios(3), tty_ioctl(4)).</summary>
public static unsafe partial class TerminalDevice
{
    private const ulong TIOCGWINSZ = 0x5413;
    private const ulong TIOCSWINSZ = 0x5414;
    private const uint ECHO = 8;
    private const uint ECHONL = 0x40;

    /// <summary>Whether a descriptor is a terminal.</summary>
    public static bool Is(int descriptor) => isatty(descriptor) == 1;

    /// <summary>Whether our job is the one that may read this terminal; the others are stopped when they try.</summary>
    public static bool IsForeground(int descriptor) => tcgetpgrp(descriptor) == getpgrp();

    /// <summary>Puts a terminal into raw mode; the returned settings restore it.</summary>
    public static TerminalSettings MakeRaw(int descriptor)
    {
        TerminalSettings old;
        LinuxException.Check(tcgetattr(descriptor, &old), "tcgetattr");
        var raw = old;
        cfmakeraw(&raw);
        LinuxException.Check(tcsetattr(descriptor, 0, &raw), "tcsetattr");
        return old;
    }

    /// <summary>Stops showing what is typed, but for the end of a line; lines are still edited. The returned settings restore it.</summary>
    public static TerminalSettings HideTyping(int descriptor)
    {
        TerminalSettings old;
        LinuxException.Check(tcgetattr(descriptor, &old), "tcgetattr");
        var hidden = old;
        // struct termios begins with four words of flags: input, output, control, local.
        var local = (uint*)&hidden + 3;
        *local = (*local & ~ECHO) | ECHONL;
        LinuxException.Check(tcsetattr(descriptor, 0, &hidden), "tcsetattr");
        return old;
    }

    /// <summary>Restores what <see cref="MakeRaw"/> or <see cref="HideTyping"/> found.</summary>
    public static void Restore(int descriptor, TerminalSettings settings) => _ = tcsetattr(descriptor, 0, &settings);

    /// <summary>Copies the window size of one terminal to another; a size of none is left alone.</summary>
    public static void CopySize(int from, int to)
    {
        ulong size;
        if (ioctl(from, TIOCGWINSZ, &size) == 0 && (size & 0xffffffff) != 0)
        {
            _ = ioctl(to, TIOCSWINSZ, &size);
        }
    }

    /// <summary>Sets a terminal's size.</summary>
    public static void SetSize(int descriptor, ushort rows, ushort columns)
    {
        var size = rows | ((ulong)columns << 16);
        _ = ioctl(descriptor, TIOCSWINSZ, &size);
    }

    /// <summary>A terminal's rows and columns, or null for no terminal.</summary>
    public static (ushort Rows, ushort Columns)? Size(int descriptor)
    {
        ulong size;
        return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && (size & 0xffffffff) != 0 ? ((ushort)size, (ushort)(size >> 16)) : null;
    }

    [LibraryImport("libc")]
    private static partial int isatty(int descriptor);

    [LibraryImport("libc")]
    private static partial int tcgetpgrp(int descriptor);

    [LibraryImport("libc")]
    private static partial int getpgrp();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int descriptor, TerminalSettings* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int descriptor, int when, TerminalSettings* settings);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(TerminalSettings* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, ulong request, void* argument);
}

/// <summary>A saved struct termios; its content is the C library's own.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
public struct TerminalSettings
{
    private ulong _flags;
}
