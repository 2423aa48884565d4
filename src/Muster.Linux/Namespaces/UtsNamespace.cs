using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Muster.Linux.Namespaces;

/// <summary>UTS namespaces: host names. Entered on a dedicated thread that ends afterwards.</summary>
public static partial class UtsNamespace
{
    private const int CLONE_NEWUTS = 0x04000000;

    /// <summary>Runs <paramref name="inside"/> in the namespace of a file such as <c>/proc/PID/ns/uts</c>.</summary>
    public static T Run<T>(string path, Func<T> inside)
    {
        using var handle = NetworkNamespace.Open(path);
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    LinuxException.Check(setns(handle, CLONE_NEWUTS), "setns", path);
                    result = inside();
                }
#pragma warning disable CA1031 // It is rethrown on the caller's thread, whatever it is.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            256 * 1024)
        {
            IsBackground = true,
            Name = "UTS namespace",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(Microsoft.Win32.SafeHandles.SafeFileHandle handle, int type);
}
