using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;

namespace Muster.Cli.Commands.Pods;

internal static class GenerateCommand
{
    public static readonly Command Systemd = new()
    {
        Words = ["generate", "systemd"],
        Summary = "Print a systemd unit that keeps a pod running",
        Usage = "POD",
        Description = "The unit starts the pod in the foreground, so that systemd supervises the app itself: its exit status, its signals and its readiness. The pod must have been prepared or must have ended.",
        Example = "muster generate systemd web > /etc/systemd/system/web.service\nsystemctl enable --now web",
        Options = [new("restart", "When systemd starts it again", "POLICY") { Choices = ["no", "on-failure", "always"], Default = "on-failure" }],
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var record = Record(call);
            var name = record.Name ?? record.Uuid;
            var grace = (record.StopGraceMs / 1000) + 5;
            call.Terminal.Out.Write($"""
                # Made by "muster generate systemd {name}".
                [Unit]
                Description=Muster pod {name}
                After=network-online.target
                Wants=network-online.target

                [Service]
                Type=simple
                ExecStart={Words(call, name)}
                Restart={call.Value("restart") ?? "on-failure"}
                RestartPreventExitStatus=2
                # An app that ends by the signal that asked it to is no failure.
                SuccessExitStatus={128 + record.Apps[0].StopSignal}
                # The shim takes its processes down itself; what it started is in cgroups of its own.
                KillMode=mixed
                Delegate=yes
                TimeoutStopSec={grace}
                StandardInput=null

                [Install]
                WantedBy=multi-user.target

                """);
            return Task.FromResult(0);
        },
    };

    public static readonly Command Runit = new()
    {
        Words = ["generate", "runit"],
        Summary = "Print a runit run script that keeps a pod running",
        Usage = "POD",
        Example = "mkdir -p /etc/sv/web\nmuster generate runit web > /etc/sv/web/run\nchmod +x /etc/sv/web/run",
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var record = Record(call);
            call.Terminal.Out.Write($"#!/bin/sh\n# Made by \"muster generate runit {record.Name ?? record.Uuid}\".\nexec 2>&1 </dev/null\nexec {Words(call, record.Name ?? record.Uuid)}\n");
            return Task.FromResult(0);
        },
    };

    private static PodRecord Record(Invocation call)
    {
        using var pod = new PodDoor(call).Find(call.Arguments[0]);
        return pod.ReadRecord();
    }

    private static string Words(Invocation call, string pod)
    {
        if (Environment.ProcessPath is not { } program || call.Root.Arguments.Concat([program]).Any(w => w.AsSpan().ContainsAny(" \t'\"\\%$")))
        {
            throw new MusterException(ErrorKind.Unsupported, "A path with spaces, quotes or $ cannot be written into a unit: install Muster under a plain path");
        }

        return string.Join(' ', Programs.Self(call.Root).Concat(["start", "--foreground", pod]));
    }
}
