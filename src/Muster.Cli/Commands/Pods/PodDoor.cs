using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;
using Muster.Network;

namespace Muster.Cli.Commands.Pods;

/// <summary>The pods of a call's root, opened once for a verb.</summary>
internal sealed class PodDoor
{
    public PodDoor(Invocation call)
    {
        Call = call;
        Store = new PodStore(call.Root);
        Networks = new PodNetworks(call.Root, call.Time) { Warn = text => Warn(text) };
        Ending = new PodEnding(Store, Networks, Programs.Self(call.Root), call.Time);
    }

    public Invocation Call { get; }

    public PodStore Store { get; }

    public PodNetworks Networks { get; }

    public PodEnding Ending { get; }

    /// <summary>Refuses callers who are not root, in one sentence.</summary>
    public static void RequireRoot(string verb)
    {
        if (ProcessControl.EffectiveUser != 0)
        {
            throw new MusterException(ErrorKind.Forbidden, $"\"muster {verb}\" needs root: namespaces, mounts and cgroups are made for the pod; use sudo");
        }
    }

    /// <summary>Finds a pod that the command line may touch; others are refused with the verb to use.</summary>
    public PodDirectory Find(string text)
    {
        var pod = Store.Find(text);
        var owner = OwnerOf(pod);
        if (owner != "cli")
        {
            throw new MusterException(ErrorKind.Forbidden, $"Pod {text} belongs to the {owner} \"{pod.ReadRecord().Name}\": use \"muster {owner}\" for it");
        }

        return pod;
    }

    /// <summary>The app named, or the only one.</summary>
    public static AppRecord App(PodRecord record, string? name)
    {
        if (name is null)
        {
            return record.Apps.Count == 1
                ? record.Apps[0]
                : throw new MusterException(ErrorKind.Usage, $"The pod has {record.Apps.Count} apps: name one of {string.Join(", ", record.Apps.Select(a => a.Name))} with --app");
        }

        return record.Apps.FirstOrDefault(a => a.Name == name)
            ?? throw new MusterException(ErrorKind.NotFound, $"The pod has no app \"{name}\": it has {string.Join(", ", record.Apps.Select(a => a.Name))}");
    }

    public void Warn(string text) => Call.Warn(text);

    public void Tell(string text)
    {
        if (!Call.Quiet)
        {
            Call.Terminal.Say("muster: " + text);
        }
    }

    private static string OwnerOf(PodDirectory pod)
    {
        try
        {
            return pod.ReadRecord().Owner;
        }
        catch (MusterException)
        {
            return "cli";
        }
    }
}
