using System.Runtime.InteropServices;

namespace Muster.Cli.Tests;

/// <summary>Descriptor 1 goes to a file for a while; one test at a time, because the whole process has only one.</summary>
internal sealed partial class StandardOutput : IDisposable
{
    private static readonly SemaphoreSlim Turn = new(1, 1);

    private readonly string _file = Path.GetTempFileName();
    private readonly FileStream _stream;
    private readonly int _before;

    public StandardOutput()
    {
        Turn.Wait();
        _stream = new FileStream(_file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _before = dup(1);
        _ = dup2((int)_stream.SafeFileHandle.DangerousGetHandle(), 1);
    }

    public string Read() => File.ReadAllText(_file);

    public void Dispose()
    {
        _ = dup2(_before, 1);
        _ = close(_before);
        _stream.Dispose();
        File.Delete(_file);
        Turn.Release();
    }

    [LibraryImport("libc")]
    private static partial int dup(int descriptor);

    [LibraryImport("libc")]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}
