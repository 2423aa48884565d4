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
        Description = "The unit starts the pod in the foreground, so that systemd supervises the app itself: its exit status and its signals. The pod must have been prepared or must have ended.",
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
                ExecStart={Words(call, name, QuoteForSystemd)}
                Restart={call.Value("restart") ?? "on-failure"}
                # An app that ends by the signal that asked it to is no failure; of several, the first that ends so gives the status.
                SuccessExitStatus={string.Join(' ', record.Apps.Select(a => 128 + a.StopSignal).Distinct().Order())}
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
            call.Terminal.Out.Write($"#!/bin/sh\n# Made by \"muster generate runit {record.Name ?? record.Uuid}\".\nexec 2>&1 </dev/null\nexec {Words(call, record.Name ?? record.Uuid, QuoteForShell)}\n");
            return Task.FromResult(0);
        },
    };

    private static PodRecord Record(Invocation call)
    {
        using var pod = new PodDoor(call).Find(call.Arguments[0]);
        return pod.ReadRecord();
    }

    private static string Words(Invocation call, string pod, Func<string, string> quote) =>
        string.Join(' ', Programs.Self(call.Root).Concat(["start", "--foreground", pod]).Select(quote));

    /// <summary>A word of a command line of systemd.service(5): in quotes with C's escapes, specifiers and variables doubled.</summary>
    internal static string QuoteForSystemd(string word)
    {
        var plain = word.Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal);
        return IsPlain(word) ? word : "\"" + plain.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }

    /// <summary>A word for a POSIX shell.</summary>
    internal static string QuoteForShell(string word) => IsPlain(word) ? word : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static bool IsPlain(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '=' or ':' or '+' or ',');
}
