using System.Text;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>Lets the node's meter read what an ended pod has used while it can still be read (<see cref="EndNotice"/>).</summary>
internal static class EndNotices
{
    /// <summary>Tells of the end and waits until it is counted; at once when nobody measures, soon when the meter is stuck.</summary>
    public static void Tell(SupervisionPlan plan)
    {
        if (plan.MeterFolder is not { } folder)
        {
            return;
        }

        var socket = -1;
        try
        {
            socket = UnixSockets.TryConnect(folder, EndNotice.Socket, nonBlocking: true);
            if (socket >= 0 && Descriptors.Write(socket, Encoding.ASCII.GetBytes(plan.Pod)) == EndNotice.Length)
            {
                Span<PollFd> answer = [new() { Descriptor = socket, Events = PollFd.In }];
                _ = Descriptors.Poll(answer, EndNotice.WaitMilliseconds);
            }
        }
        catch (LinuxException)
        {
            // What it used in its last seconds stays uncounted; the pod's end does not depend on it.
        }
        finally
        {
            if (socket >= 0)
            {
                Descriptors.Close(socket);
            }
        }
    }
}
