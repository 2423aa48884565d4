using System.Text;
using Microsoft.Win32.SafeHandles;
using Muster.Linux;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>
/// The root directory of a process, the host's own or a container's. What is below a container's root is its own to arrange:
/// links in it lead nowhere but below it.
/// </summary>
internal sealed class ProcessRoot : SafeHandleMinusOneIsInvalid
{
    private ProcessRoot(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    public static ProcessRoot Open(int pid) =>
        new(FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(pid == 0 ? "/" : $"/proc/{pid}/root"), FileCalls.DirectoryOnly | FileCalls.PathOnly));

    /// <summary>Opens what the path means inside without any right to its content, or -1 with the error in <see cref="FileCalls.Error"/>.</summary>
    public int OpenPath(string path) => OpenBelow(path, FileCalls.PathOnly);

    /// <summary>A small regular file's text; empty when there is none that can be read.</summary>
    public string ReadText(string path, int limit)
    {
        // A FIFO or a device in a container's place of a file must neither hold us up nor be started.
        var probe = OpenPath(path);
        if (probe < 0)
        {
            return "";
        }

        var isFile = FileStatus.Read(probe).Type == FileStatus.Regular;
        _ = FileCalls.Close(probe);
        var descriptor = isFile ? OpenBelow(path, FileCalls.ReadOnly | FileCalls.NonBlocking) : -1;
        if (descriptor < 0)
        {
            return "";
        }

        var buffer = new byte[limit];
        var length = FileStatus.Read(descriptor).Type == FileStatus.Regular ? FileCalls.ReadAt(descriptor, buffer, 0) : 0;
        _ = FileCalls.Close(descriptor);
        return length <= 0 ? "" : Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => FileCalls.Close((int)handle) == 0;

    private int OpenBelow(string path, int flags) =>
        IsInvalid ? -1 : FileCalls.OpenBelow((int)handle, FileCalls.Terminated(path.TrimStart('/') is { Length: > 0 } inside ? inside : "."), flags, FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks);
}
