using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

/// <summary>The app beside which a command is run: whether its end has begun, and what to say then.</summary>
internal sealed class EnteredApp
{
    private readonly Guid _pod;
    private readonly AppRecord _app;
    private readonly bool _removed;

    // Process 1 of the pod too, where that is another: what ends it ends the app and the command at once.
    private readonly List<(int Pid, ulong StartTime)> _processes;

    private EnteredApp(Guid pod, PodRecord record, AppRecord app, List<(int Pid, ulong StartTime)> processes)
    {
        _pod = pod;
        _app = app;
        _removed = record.RemoveWhenDone;
        _processes = processes;
    }

    /// <summary>The app's first process on the host.</summary>
    public int Pid => _processes[0].Pid;

    /// <summary>True as soon as its end has begun: what was put beside it ends before it is gone itself.</summary>
    public bool HasEnded => _processes.Exists(p => ProcessControl.IsEnding(p.Pid, p.StartTime));

    /// <summary>The app of a running pod; one that does not run just now is refused.</summary>
    public static EnteredApp Of(PodDirectory pod, PodRecord record, AppRecord app)
    {
        var status = pod.ReadStatus();
        var pid = status?.Apps.GetValueOrDefault(app.Name)?.Pid ?? 0;
        var started = pid > 0 ? ProcessControl.StartTime(pid) : 0;
        if (started == 0)
        {
            throw new MusterException(ErrorKind.Conflict, $"App \"{app.Name}\" of pod {pod.Uuid} does not run just now: \"muster status\" tells what it does");
        }

        List<(int Pid, ulong StartTime)> processes = [(pid, started)];
        if (status!.InfraPid is { } infra)
        {
            processes.Add((infra, ProcessControl.StartTime(infra)));
        }

        return new EnteredApp(pod.Uuid, record, app, processes);
    }

    /// <summary>What is said of a pod that is put away or removed this moment, or is gone since it was found.</summary>
    public static string Gone(PodDirectory pod) => $"Pod {pod.Uuid} has ended: \"muster list\" shows whether it is kept and can be started again";

    /// <summary>Throws when the app's end has begun: then it is why the command did not begin.</summary>
    public void RefuseEnded()
    {
        if (HasEnded)
        {
            throw EndedBefore();
        }
    }

    /// <summary>The refusal of a command that did not begin because the app ended.</summary>
    public MusterException EndedBefore(Exception? cause = null) => Ended("before the command could be started", cause);

    /// <summary>Tells of a command that was killed when it was the app's end that did it; one that may not even have begun is refused.</summary>
    /// <param name="began">Whether it had begun; null when nobody knows.</param>
    public void TellEnded(Invocation call, bool? began)
    {
        if (HasEnded)
        {
            if (began is null)
            {
                throw Ended("while the command was being started, which may have begun", null);
            }

            call.Terminal.Say($"muster: App \"{_app.Name}\" of pod {_pod} ended while the command ran, and what runs beside an app ends with it");
        }
    }

    private MusterException Ended(string when, Exception? cause)
    {
        var remedy = _app.Restart != "never" ? "try again when it has been restarted"
            : _removed ? "the pod was not to be kept, run it anew"
            : $"start it again with \"muster start {_pod}\"";
        return new MusterException(ErrorKind.Conflict, $"App \"{_app.Name}\" of pod {_pod} ended {when}: {remedy}", cause);
    }
}
