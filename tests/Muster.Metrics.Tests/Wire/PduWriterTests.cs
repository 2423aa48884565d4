using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Wire;

public class PduWriterTests
{
    [Fact]
    public void Large_answers_leave_no_memory_behind()
    {
        var made = Answers(10, 1024 * 1024);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
        made.Count(w => w.IsAlive).Should().Be(0, "a hundred clients with large answers come once, and the daemon stays");
    }

    // Apart, so that nothing on the stack holds an array; all are out at once, as of clients that do not read.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> Answers(int count, int length)
    {
        var made = new List<WeakReference>();
        var writers = Enumerable.Range(0, count).Select(_ => new PduWriter()).ToList();
        foreach (var writer in writers)
        {
            writer.Begin(PduType.Result);
            writer.Bytes(new byte[length]);
            writer.End();
            MemoryMarshal.TryGetArray(writer.Written, out var array).Should().BeTrue();
            made.Add(new WeakReference(array.Array));
        }

        writers.ForEach(w => w.Reset());
        writers.ForEach(w => w.Dispose());
        return made;
    }
}
