using Muster.Linux;

namespace Muster.Cli.CommandLine;

/// <summary>What a failed call of the system means to the user: what, why, and what to do.</summary>
internal static class SystemFault
{
    private const string Closed = "run muster as root, or give a --root of your own";

    /// <summary>One sentence.</summary>
    public static string Sentence(Exception fault) => fault switch
    {
        LinuxException { Errno: Errno.EACCES or Errno.EPERM } when ProcessControl.EffectiveUser != 0 => $"{Plain(fault.Message)}: {Closed}",
        LinuxException { Errno: Errno.ENOSPC } => $"{Plain(fault.Message)}: make room there, and try again",
        LinuxException { Errno: Errno.EROFS } => $"{Plain(fault.Message)}: give a --root that can be written to",
        LinuxException { Errno: Errno.ECONNRESET or Errno.EPIPE } => $"{Plain(fault.Message)}: the pod ended at this moment; look with muster list",
        UnauthorizedAccessException => ProcessControl.EffectiveUser == 0
            ? $"{PathOf(fault.Message)} cannot be changed, not even by root: is it on a read-only file system, or marked immutable?"
            : $"{PathOf(fault.Message)} is closed to you: {Closed}",
        FileNotFoundException { FileName: { } file } => $"There is no file {file}: check the path",
        DirectoryNotFoundException => $"There is no folder for {PathOf(fault.Message)}: make it first, or check the path",
        IOException when fault.HResult is Errno.ENOSPC or Errno.EROFS => $"{Plain(fault.Message)}: {(fault.HResult == Errno.ENOSPC ? "make room there, and try again" : "give a --root that can be written to")}",
        _ => fault.Message,
    };

    /// <summary>One sentence for a fault that no part of Muster foresaw, which is one of Muster's own.</summary>
    public static string Unforeseen(Exception fault) =>
        $"This is a fault of Muster's own ({fault.GetType().Name}: {fault.Message.Split('\n')[0].Trim().TrimEnd('.')}): do it again with --debug, and report what that prints";

    private static string Plain(string message) => message.TrimEnd('.');

    // The framework's own sentences have the path in quotes.
    private static string PathOf(string message)
    {
        var first = message.IndexOf('\'', StringComparison.Ordinal);
        var last = message.LastIndexOf('\'');
        return last > first ? message[(first + 1)..last] : Plain(message);
    }
}
