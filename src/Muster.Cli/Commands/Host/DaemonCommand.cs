using Muster.Cli.CommandLine;
using Muster.Linux;

namespace Muster.Cli.Commands.Host;

internal static class DaemonCommand
{
    public static readonly Command Command = new()
    {
        Words = ["daemon"],
        Summary = "Run this node's daemon, musterd, in the foreground",
        Usage = "[--socket=PATH] [--listen-pcp=ADDRESS:PORT|none]",
        Description = "muster becomes musterd, so that a supervisor sees one process. No pod needs it: fetching, running and stopping work without.",
        Example = "muster daemon",
        Options =
        [
            new("socket", "The Unix socket it answers on", "PATH") { Default = "/run/muster/muster.socket" },
            new("listen-pcp", "Where PCP's clients are answered over TCP, or none", "ADDRESS:PORT") { Default = "127.0.0.1:44321, none below --root" },
        ],
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var program = Programs.Locate("musterd");
            List<string> words = [program, .. call.Root.Arguments];
            if (call.Value("socket") is { } socket)
            {
                words.Add("--socket=" + socket);
            }

            if (call.Value("listen-pcp") is { } address)
            {
                words.Add("--listen-pcp=" + address);
            }

            call.Terminal.Flush();
            Spawn.Become(program, words, Spawn.Environment());
            return Task.FromResult(Dispatcher.FailureStatus);
        },
    };
}
