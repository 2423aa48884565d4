using System.Buffers.Text;
using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Processes;

/// <summary>The files of processes under /proc.</summary>
internal static class ProcessFiles
{
    /// <summary>Arguments and environments are cut after this: a program may have megabytes of them.</summary>
    public const int MaxArguments = 4096;

    /// <summary>The ids of all processes, ascending.</summary>
    public static List<int> All()
    {
        var found = new List<int>(256);
        using var proc = DirectoryHandle.Open("/proc");
        foreach (var name in proc.Names())
        {
            if (TextNumbers.TryParse(name.AsSpan(0, name.Length - 1), out var pid) && pid is > 0 and <= int.MaxValue)
            {
                found.Add((int)pid);
            }
        }

        found.Sort();
        return found;
    }

    /// <summary>The ids of all threads of processes, those of the processes among them, ascending.</summary>
    public static List<int> Threads(List<int> processes)
    {
        var found = new List<int>(processes.Count * 2);
        foreach (var pid in processes)
        {
            try
            {
                using var tasks = DirectoryHandle.Open($"/proc/{pid}/task");
                foreach (var name in tasks.Names())
                {
                    if (TextNumbers.TryParse(name.AsSpan(0, name.Length - 1), out var thread) && thread is > 0 and <= int.MaxValue)
                    {
                        found.Add((int)thread);
                    }
                }
            }
            catch (LinuxException)
            {
                // It has ended meanwhile.
            }
        }

        found.Sort();
        return found;
    }

    /// <summary>Reads a file of one thread, where the process's would add up all of them.</summary>
    public static KernelText ReadOfThread(int thread, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        "task/"u8.CopyTo(path);
        Utf8Formatter.TryFormat(thread, path[5..], out var digits);
        path[5 + digits] = (byte)'/';
        name.CopyTo(path[(6 + digits)..]);
        return Read(thread, path[..(6 + digits + name.Length)]);
    }

    /// <summary>Reads a file of a process.</summary>
    public static KernelText Read(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        return KernelText.ReadFile(FileCalls.AtCurrentDirectory, path[..Path(path, pid, name)]);
    }

    /// <summary>Where a link of a process leads, or null.</summary>
    public static string? Link(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        Span<byte> target = stackalloc byte[4096];
        var length = FileCalls.ReadLink(FileCalls.AtCurrentDirectory, path[..Path(path, pid, name)], target);
        return length < 0 ? null : Encoding.UTF8.GetString(target[..length]);
    }

    /// <summary>How many entries a folder of a process has, or -1.</summary>
    public static int CountEntries(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        var descriptor = FileCalls.Open(FileCalls.AtCurrentDirectory, path[..Path(path, pid, name)], FileCalls.DirectoryOnly);
        if (descriptor < 0)
        {
            return -1;
        }

        // . and .. are entries too.
        var count = -2;
        Span<byte> buffer = stackalloc byte[4096];
        int length;
        while ((length = FileCalls.ReadDirectory(descriptor, buffer)) > 0)
        {
            for (var at = 0; at < length; at += BitConverter.ToUInt16(buffer[(at + 16)..]))
            {
                count++;
            }
        }

        _ = FileCalls.Close(descriptor);
        return count;
    }

    /// <summary>The owner of a process's files: its effective user, or root when it does not let itself be traced; null when it is gone.</summary>
    public static uint? Owner(int pid)
    {
        Span<byte> path = stackalloc byte[64];
        return FileStatus.TryRead(FileCalls.AtCurrentDirectory, path[..Path(path, pid, "."u8)], out var status) ? status.Uid : null;
    }

    /// <summary>A text of strings that NULs end, with blanks between them, cut after <see cref="MaxArguments"/>.</summary>
    public static string Joined(ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, MaxArguments)].TrimEnd((byte)0);
        Span<byte> joined = stackalloc byte[text.Length];
        text.CopyTo(joined);
        foreach (ref var b in joined)
        {
            b = b is 0 or (byte)'\n' ? (byte)' ' : b;
        }

        return Encoding.UTF8.GetString(joined);
    }

    private static int Path(Span<byte> path, int pid, ReadOnlySpan<byte> name)
    {
        "/proc/"u8.CopyTo(path);
        Utf8Formatter.TryFormat(pid, path[6..], out var digits);
        path[6 + digits] = (byte)'/';
        name.CopyTo(path[(7 + digits)..]);
        path[7 + digits + name.Length] = 0;
        return 8 + digits + name.Length;
    }
}
