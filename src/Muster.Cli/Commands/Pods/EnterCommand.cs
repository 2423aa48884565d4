using Muster.Cli.CommandLine;
using Muster.Containers.Accounts;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class EnterCommand
{
    public static readonly Command Command = new()
    {
        Words = ["enter"],
        Aliases = [["exec"]],
        Summary = "Run a command inside a running app",
        Usage = "[OPTION…] POD [COMMAND [ARGUMENT…]]",
        Description = "Without a command a shell is started. A terminal is made when standard input and output are terminals.",
        Example = "muster enter web\nmuster exec --app=db --user=postgres stack psql -l",
        Options =
        [
            new("app", "The app, in a pod of several", "NAME"),
            new("user", "User by name or number", "USER") { Default = "0" },
            new("working-dir", "The working directory", "PATH") { Default = "/" },
            new("environment", "Set a variable", "NAME=VALUE") { Short = 'e', Repeatable = true },
            new("tty", "Make a terminal in any case") { Short = 't' },
            new("no-tty", "Make no terminal in any case") { Short = 'T' },
        ],
        Arguments = (1, int.MaxValue),
        StopAtFirstArgument = true,
        Run = (call, _) => Task.FromResult(Enter(call)),
    };

    private static int Enter(Invocation call)
    {
        PodDoor.RequireRoot("enter");
        var door = new PodDoor(call);
        using var pod = door.Store.Find(call.Arguments[0]);
        var state = door.Store.StateOf(pod);
        if (state is not (PodState.Running or PodState.Orphaned))
        {
            throw new MusterException(ErrorKind.Conflict, state == PodState.Paused
                ? $"Pod {pod.Uuid} is paused: let it go on with \"muster resume\" first"
                : $"Pod {pod.Uuid} is {state.ToString().ToLowerInvariant()}, not running: start it with \"muster start\" first");
        }

        var record = pod.ReadRecord();
        var app = PodDoor.App(record, call.Value("app"));
        var plan = pod.Read("plan.json", PodJson.Default.SupervisionPlan)!;
        var planned = plan.Apps.First(a => a.Name == app.Name);
        var root = Root(call.Root, pod, app);
        // "--" before the command is what other tools' users write.
        var command = call.Arguments.Skip(1).ToList();
        if (command is ["--", ..])
        {
            command.RemoveAt(0);
        }

        if (command.Count == 0)
        {
            command = [Shell(root)];
        }

        var user = call.Value("user") ?? "0";
        var parts = user.Split(':', 2);
        var identity = AccountLookup.Resolve(root, ImageKind.Oci, parts[0], parts.Length > 1 ? parts[1] : null, []);
        List<string> words = [plan.Runtime, .. plan.RuntimeArguments, "exec", "--user", $"{identity.Uid}:{identity.Gid}", "--cwd", call.Value("working-dir") ?? "/"];
        var terminal = call.Has("tty") || (!call.Has("no-tty") && TerminalDevice.Is(0) && TerminalDevice.Is(1));
        if (terminal)
        {
            words.AddRange(["--tty", "--env", "TERM=" + (Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term ? term : "xterm")]);
        }

        foreach (var pair in call.Values("environment"))
        {
            words.AddRange(["--env", pair]);
        }

        words.Add(planned.Id);
        words.AddRange(command);
        call.Terminal.Flush();
        Spawn.Become(plan.Runtime, words, Spawn.Environment());
        return Dispatcher.FailureStatus;
    }

    /// <summary>An app's root as its overlay shows it, read without entering it.</summary>
    internal static LayeredRoot Root(MusterRoot root, PodDirectory pod, AppRecord app) =>
        new([Path.Combine(pod.Path, "apps", app.Name, "upper"), .. app.Trees.Select(t => Path.Combine(root.Images, "trees", t, "rootfs"))]);

    private static string Shell(LayeredRoot root) => root.Exists("/bin/bash") ? "/bin/bash"
        : root.Exists("/bin/sh") ? "/bin/sh"
        : throw new MusterException(ErrorKind.NotFound, "The app's root has neither /bin/bash nor /bin/sh: name a command that it has");
}
