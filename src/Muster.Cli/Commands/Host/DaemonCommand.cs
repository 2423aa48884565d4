using Muster.Cli.CommandLine;
using Muster.Linux;

namespace Muster.Cli.Commands.Host;

internal static class DaemonCommand
{
    public static readonly Command Command = new()
    {
        Words = ["daemon"],
        Summary = "Run this node's daemon, musterd, in the foreground",
        Usage = "[--socket=PATH]",
        Description = "muster becomes musterd, so that a supervisor sees one process. No pod needs it: fetching, running and stopping work without.",
        Example = "muster daemon",
        Options = [new("socket", "The Unix socket it answers on", "PATH") { Default = "/run/muster/muster.socket" }],
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var program = Programs.Locate("musterd");
            List<string> words = [program, .. call.Root.Arguments];
            if (call.Value("socket") is { } socket)
            {
                words.Add("--socket=" + socket);
            }

            call.Terminal.Flush();
            Spawn.Become(program, words, Spawn.Environment());
            return Task.FromResult(Dispatcher.FailureStatus);
        },
    };
}
