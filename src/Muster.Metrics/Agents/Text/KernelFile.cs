using Muster.Linux;

namespace Muster.Metrics.Agents.Text;

/// <summary>
/// A file of the kernel that is read again and again: kept open, and read from its beginning each time. One that a
/// container sees otherwise is opened anew below <c>/proc/PID</c> for that container.
/// </summary>
internal sealed class KernelFile(string path, string? below = null)
{
    private readonly byte[] _path = FileCalls.Terminated(path);
    private readonly Lock _gate = new();
    private int _descriptor = -1;

    public string Path => path;

    /// <summary>Reads it as the host sees it, or as the process <paramref name="pid"/> does when that is not 0.</summary>
    public KernelText Read(int pid = 0)
    {
        if (pid != 0 && below is not null)
        {
            return KernelText.ReadFile($"/proc/{pid}/{below}");
        }

        // A file under /proc remembers where its last reader was: two readers at once would be right but slow.
        lock (_gate)
        {
            if (_descriptor < 0)
            {
                _descriptor = FileCalls.Open(FileCalls.AtCurrentDirectory, _path, FileCalls.ReadOnly);
                if (_descriptor < 0)
                {
                    return KernelText.Failed(-FileCalls.Error);
                }
            }

            var text = KernelText.Read(_descriptor);
            if (text.Error is -Errno.ENODEV or -Errno.ESRCH)
            {
                _ = FileCalls.Close(_descriptor);
                _descriptor = -1;
            }

            return text;
        }
    }
}
