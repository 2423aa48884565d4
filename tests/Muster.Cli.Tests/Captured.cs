using Muster.Cli.CommandLine;
using Muster.TestKit;

namespace Muster.Cli.Tests;

/// <summary>Runs the muster of this checkout's build, as a process: its output goes to the process's own streams.</summary>
internal static class Captured
{
    /// <summary>The built program beside the tests; only its CIL, so nothing needs to be published.</summary>
    public static ProgramRun Muster(params string[] words) => ProgramRun.Of(Host, [typeof(Command).Assembly.Location, .. words]);

    /// <summary>The same through a shell, which puts its streams elsewhere: words and redirections as one would type them.</summary>
    public static ProgramRun Shell(string words) => ProgramRun.Of("/bin/sh", ["-c", $"exec '{Host}' '{typeof(Command).Assembly.Location}' {words}"]);

    private static string Host => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
}
