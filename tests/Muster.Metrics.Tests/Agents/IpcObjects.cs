using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents;

/// <summary>A shared memory segment, a message queue and a semaphore set, which go with it.</summary>
internal sealed class IpcObjects : IDisposable
{
    public const int SegmentSize = 12_288;

    private readonly string _queue = Make("-Q", "-p", "0644");
    private readonly string _set = Make("-S", "3", "-p", "0600");

    public string Segment { get; } = Make("-M", SegmentSize.ToString(), "-p", "0640");

    public void Dispose() => ProgramRun.Of("/usr/bin/ipcrm", ["-m", Segment, "-q", _queue, "-s", _set]).Succeeded();

    // "Shared memory id: 7"
    private static string Make(params string[] words) => ProgramRun.Of("/usr/bin/ipcmk", words).Succeeded().Out.Trim().Split(' ')[^1];
}
