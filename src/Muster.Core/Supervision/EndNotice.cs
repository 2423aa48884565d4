namespace Muster.Core.Supervision;

/// <summary>
/// What a supervisor and the node's meter agree on: before an ended app's control groups or network are removed, the supervisor
/// connects to <see cref="Socket"/> in <see cref="SupervisionPlan.MeterFolder"/>, sends the pod's UUID, and waits for one byte,
/// which says that all has been counted. Where nobody listens, nobody waits.
/// </summary>
public static class EndNotice
{
    /// <summary>The socket's name; only root may connect.</summary>
    public const string Socket = "meter.socket";

    /// <summary>The 36 characters of a UUID.</summary>
    public const int Length = 36;

    /// <summary>How long a supervisor waits for a meter that listens and does not answer.</summary>
    public const int WaitMilliseconds = 250;
}
