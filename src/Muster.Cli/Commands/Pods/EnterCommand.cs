using System.Runtime.InteropServices;
using Muster.Cli.CommandLine;
using Muster.Containers.Accounts;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Images;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class EnterCommand
{
    private const int NotExecutableStatus = 126;
    private const int MissingStatus = 127;
    private const int KilledStatus = 128 + Signals.SIGKILL;

    /// <summary>How long a process that a runtime left behind may take to end before nobody waits for it any more.</summary>
    private const int LeftBehindMilliseconds = 1000;

    public static readonly Command Command = new()
    {
        Words = ["enter"],
        Aliases = [["exec"]],
        Summary = "Run a command inside a running app",
        Usage = "[OPTION…] POD [COMMAND [ARGUMENT…]]",
        Description = """
            Without a command a shell is started. A terminal is made when standard input and output are terminals.
            The command has the app's environment and is confined as the app is. The exit status is the command's:
            128+n after signal n, 126 and 127 when it cannot be executed or found.
            """,
        Example = "muster enter web\nmuster exec --app=db --user=postgres stack psql -l",
        Options =
        [
            new("app", "The app, in a pod of several", "NAME"),
            new("user", "User by name or number, with its groups; or with one group alone", "USER[:GROUP]") { Default = "0" },
            new("working-dir", "The working directory", "PATH") { Default = "/" },
            new("environment", "Set a variable", "NAME=VALUE") { Short = 'e', Repeatable = true },
            new("tty", "Make a terminal, although standard output is none") { Short = 't' },
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
            throw new MusterException(ErrorKind.Conflict, state switch
            {
                PodState.Paused => $"Pod {pod.Uuid} is paused: let it go on with \"muster resume\" first",
                PodState.Deleting => EnteredApp.Gone(pod),
                _ => $"Pod {pod.Uuid} is {state.ToString().ToLowerInvariant()}, not running: start it with \"muster start\" first",
            });
        }

        PodRecord record;
        try
        {
            record = pod.ReadRecord();
        }
        catch (MusterException e) when (!Directory.Exists(pod.Path))
        {
            throw new MusterException(ErrorKind.NotFound, EnteredApp.Gone(pod), e);
        }

        var app = PodDoor.App(record, call.Value("app"));
        var entered = EnteredApp.Of(pod, record, app);
        SupervisionPlan plan;
        AddedProcess added;
        byte[] document;
        (int Status, string Sentence)? refusal;
        try
        {
            plan = pod.Read("plan.json", PodJson.Default.SupervisionPlan) ?? throw new MusterException(ErrorKind.Corrupt, $"Pod {pod.Uuid} has no plan.json: end it with \"muster stop\"");
            added = Added(call, app, Root(call.Root, pod, app));
            refusal = Refusal(added, app, $"/proc/{entered.Pid}/root", record.IdMap);
            document = ProcessDocument.Make(plan.Apps.First(a => a.Name == app.Name).Bundle, added);
        }
        catch (Exception e) when (e is MusterException { Kind: not ErrorKind.Usage } or IOException && entered.HasEnded)
        {
            // What is missing has gone with the app.
            throw entered.EndedBefore(e);
        }

        if (refusal is { } why)
        {
            entered.RefuseEnded();
            call.Terminal.Say("muster: " + why.Sentence);
            return why.Status;
        }

        call.Terminal.Flush();
        return Run(call, plan, app, entered, document, added.Terminal);
    }

    private static AddedProcess Added(Invocation call, AppRecord app, LayeredRoot root)
    {
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

        var terminal = call.Has("tty") || (!call.Has("no-tty") && TerminalDevice.Is(0) && TerminalDevice.Is(1));
        if (terminal && !TerminalDevice.Is(0))
        {
            throw new MusterException(ErrorKind.Conflict, "--tty needs standard input to be a terminal, and it is none: leave --tty out");
        }

        var more = call.Values("environment").ToList();
        if (more.Find(e => e.IndexOf('=', StringComparison.Ordinal) < 1) is { } wrong)
        {
            throw new MusterException(ErrorKind.Usage, $"--environment={wrong} is not NAME=VALUE");
        }

        if (terminal)
        {
            more.Insert(0, "TERM=" + (Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term ? term : "xterm"));
        }

        var words = (call.Value("user") ?? "0").Split(':', 2);
        var identity = AccountLookup.Resolve(root, ImageKind.Oci, words[0], words.Length > 1 ? words[1] : null, []);
        return new AddedProcess
        {
            Arguments = command,
            Environment = ProcessDocument.Environment(app.Environment, identity.Uid == app.Uid ? null : identity.Home is { Length: > 0 } home ? home : "/", more),
            WorkingDirectory = call.Value("working-dir") ?? "/",
            Identity = identity,
            Terminal = terminal,
        };
    }

    // The status of a command that cannot be started, and the sentence that says so.
    private static (int Status, string Sentence)? Refusal(AddedProcess added, AppRecord app, string root, IReadOnlyList<IdRange> map)
    {
        if (!added.WorkingDirectory.StartsWith('/') || !ProgramLookup.HasFolder(root, added.WorkingDirectory))
        {
            throw new MusterException(ErrorKind.NotFound, $"App \"{app.Name}\" has no folder {added.WorkingDirectory}: choose another with --working-dir");
        }

        // What the pod calls user 1000 the host sees as another; the one that may do all is root inside.
        uint Outside(uint id) => id == 0 || map.Count == 0 ? id : map[0].Outside + id;
        var identity = added.Identity with { Uid = Outside(added.Identity.Uid), Gid = Outside(added.Identity.Gid), SupplementaryGids = [.. added.Identity.SupplementaryGids.Select(Outside)] };
        return ProgramLookup.Judge(root, added.Arguments[0], added.Environment, added.WorkingDirectory, identity) switch
        {
            ProgramVerdict.Missing => (MissingStatus, $"App \"{app.Name}\" has no program \"{added.Arguments[0]}\""),
            ProgramVerdict.NotExecutable => (NotExecutableStatus, $"\"{added.Arguments[0]}\" of app \"{app.Name}\" cannot be executed: it is no program, or not for this user"),
            _ => null,
        };
    }

    // We stay behind the runtime: to give it the process without a file that would be left behind by a kill, to tell its
    // failures from the command's own statuses, and to be the parent of what it leaves when it fails, which nobody else may reap.
    private static int Run(Invocation call, SupervisionPlan plan, AppRecord app, EnteredApp entered, byte[] process, bool terminal)
    {
        ProcessControl.BecomeSubreaper();
        if (app.Isolation.OomScoreAdj is { } score)
        {
            // No runtime sets it for an added process: it has ours.
            File.WriteAllText("/proc/self/oom_score_adj", score.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        var document = Descriptors.InMemory("process", process);
        var log = Descriptors.InMemory("log", []);
        var pid = 0;
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Forward);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Forward);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Forward);
        using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Forward);
        var beginning = new CommandBeginning(plan.Runtime);
        List<string> words = [plan.Runtime, .. plan.RuntimeArguments, "--log", Descriptors.PathOf(log), "--log-format", "json", "exec", "--process", Descriptors.PathOf(document), .. beginning.Words, plan.Apps.First(a => a.Name == app.Name).Id];
        var streams = new CallersStreams(terminal, call.Terminal.Say);
        pid = Spawn.Start(plan.Runtime, words, Spawn.Environment(), streams.Input, streams.Output, streams.Error);
        streams.HandedOver();
        beginning.Watch(pid);
        var status = Spawn.Wait(pid);
        streams.End();
        var began = beginning.Ended();
        var failure = RuntimeLog.Failure(Descriptors.PathOf(log));
        if (failure is null && began == false)
        {
            failure = (Dispatcher.FailureStatus, $"the OCI runtime ended with status {status} and gave no reason");
        }

        Reap(mustCome: failure is not null);
        if (failure is { } why)
        {
            entered.RefuseEnded();
            call.Terminal.Say("muster: The command did not start: " + why.Text);
            return why.Status;
        }

        if (status == KilledStatus)
        {
            entered.TellEnded(call, began);
        }

        return status;

        void Forward(PosixSignalContext signal)
        {
            signal.Cancel = true;
            var number = signal.Signal switch { PosixSignal.SIGHUP => Signals.SIGHUP, PosixSignal.SIGTERM => Signals.SIGTERM, PosixSignal.SIGQUIT => Signals.SIGQUIT, _ => Signals.SIGINT };

            // What is typed at a terminal reaches the runtime as well: the terminal sends it to all of its foreground.
            if (pid > 0 && (number is Signals.SIGTERM or Signals.SIGHUP || !TerminalDevice.Is(0)))
            {
                _ = Signals.Send(pid, number);
            }
        }
    }

    // The runtime's own child inside the pod ends when the runtime does, or a moment later.
    private static void Reap(bool mustCome)
    {
        var deadline = Environment.TickCount64 + LeftBehindMilliseconds;
        while (!Spawn.TryReap(out _, out _) && mustCome && Environment.TickCount64 < deadline)
        {
            _ = Descriptors.Poll([], 10);
        }
    }

    /// <summary>An app's root as its overlay shows it, read without entering it.</summary>
    internal static LayeredRoot Root(MusterRoot root, PodDirectory pod, AppRecord app) =>
        new([Path.Combine(pod.Path, "apps", app.Name, "upper"), .. app.Trees.Select(t => Path.Combine(root.Images, "trees", t, "rootfs"))]);

    private static string Shell(LayeredRoot root) => root.Exists("/bin/bash") ? "/bin/bash"
        : root.Exists("/bin/sh") ? "/bin/sh"
        : throw new MusterException(ErrorKind.NotFound, "The app's root has neither /bin/bash nor /bin/sh: name a command that it has");
}
