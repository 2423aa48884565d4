using System.Diagnostics;
using System.Text;

namespace Muster.TestKit;

/// <summary>A program that has ended: its status and what it wrote.</summary>
public sealed record ProgramRun(int Status, string Out, string Error)
{
    /// <summary>No program of a test runs longer, unless the test says so.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Runs a program to its end.</summary>
    public static ProgramRun Of(string program, IEnumerable<string> arguments, string? input = null, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, TimeSpan? limit = null)
    {
        using var process = Start(program, arguments, environment, folder);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input ?? "");
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want its input.
        }

        if (!process.WaitForExit(limit ?? Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {limit ?? Limit}: {(error.IsCompleted ? error.Result : "")}");
        }

        return new ProgramRun(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a program with its streams in pipes.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? "",
        };
        start.Environment.Remove("MUSTER_ROOT");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Fails with everything it wrote unless it ended with 0.</summary>
    public ProgramRun Succeeded() => Status == 0 ? this : throw new InvalidOperationException($"status {Status}\n{Out}\n{Error}");
}
