using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class CopyCommand
{
    public static readonly Command Copy = new()
    {
        Words = ["cp"],
        Summary = "Copy files between the host and a running app",
        Usage = "[--app=NAME] POD:PATH TARGET | SOURCE POD:PATH",
        Description = "Nothing is needed inside the app. A target that is a folder is copied into; FOLDER/. stands for what is in it. A folder never takes a file's place, nor a file a folder's; a device or pipe of the host is written to. Owners, modes and times are kept (with --private-users all belongs to root), but nothing comes out of an app setuid, setgid or with capabilities. While files are copied in, the pod stands still.",
        Example = "muster cp web:/etc/nginx/nginx.conf .\nmuster cp web:/var/log/. ./logs\nmuster cp --app=db dump.sql stack:/tmp/",
        Options = [new("app", "The app, in a pod of several", "NAME")],
        Arguments = (2, 2),
        Run = (call, _) =>
        {
            PodDoor.RequireRoot("cp");
            var from = Split(call.Arguments[0]);
            var to = Split(call.Arguments[1]);
            if ((from is null) == (to is null))
            {
                throw new MusterException(ErrorKind.Usage, "One of the two is POD:PATH, the other a path of the host");
            }

            var (name, path) = (from ?? to)!.Value;
            var door = new PodDoor(call);
            using var pod = door.Find(name);
            var record = pod.ReadRecord();
            var root = new PodRoot(door.Store, pod, record, PodDoor.App(record, call.Value("app"))) { Warn = call.Warn };
            if (from is not null)
            {
                root.CopyOut(path, call.Arguments[1]);
                return Task.FromResult(0);
            }

            var pause = door.Store.StateOf(pod) == PodState.Running;
            if (pause)
            {
                door.Ending.Pause(pod);
            }

            try
            {
                root.CopyIn(call.Arguments[0], path);
            }
            finally
            {
                if (pause)
                {
                    door.Ending.Resume(pod);
                }
            }

            return Task.FromResult(0);
        },
    };

    public static readonly Command Export = new()
    {
        Words = ["export"],
        Summary = "Write an ended pod's app with its files as an App Container image",
        Usage = "[--app=NAME] [--overwrite] POD OUT.aci",
        Example = "muster export web web-now.aci",
        Options = [new("app", "The app, in a pod of several", "NAME"), new("overwrite", "Replace a file that is there")],
        Arguments = (2, 2),
        Run = (call, ct) =>
        {
            PodDoor.RequireRoot("export");
            var door = new PodDoor(call);
            using var found = door.Find(call.Arguments[0]);
            var target = call.Arguments[1];
            OutputFile.Check(target, call.Has("overwrite"));

            if (door.Store.StateOf(found) is not PodState.Exited)
            {
                throw new MusterException(ErrorKind.Conflict, $"Pod {found.Uuid} is {door.Store.StateOf(found).ToString().ToLowerInvariant()}: only an ended pod's files stand still; stop it first");
            }

            using var pod = door.Store.Lock(found);
            var record = pod.ReadRecord();
            using var file = OutputFile.Begin(target, call.Has("overwrite"));
            new PodRoot(door.Store, pod, record, PodDoor.App(record, call.Value("app"))).Export(file, ct);
            file.Commit();

            return Task.FromResult(0);
        },
    };

    // POD:PATH, unless a path of the host begins before the colon.
    private static (string Pod, string Path)? Split(string word)
    {
        var colon = word.IndexOf(':', StringComparison.Ordinal);
        return colon < 1 || word.AsSpan(0, colon).Contains('/') || word[0] == '.' || colon == word.Length - 1 ? null : (word[..colon], word[(colon + 1)..]);
    }
}
