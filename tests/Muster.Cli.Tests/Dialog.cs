using System.Diagnostics;
using System.Text;

namespace Muster.Cli.Tests;

/// <summary>
/// A line of shell on a terminal of its own (script(1)): what is expected is awaited, then the answer is typed. Interrupts
/// count even where the tests were started in the background, which ignores them.
/// </summary>
internal sealed class Dialog : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly StringBuilder _seen = new();

    public Dialog(string line) =>
        _process = Process.Start(new ProcessStartInfo("env", ["--default-signal=INT,QUIT", "script", "-qec", line, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    public string Seen => _seen.ToString();

    public void Expect(string text)
    {
        var buffer = new byte[4096];
        using var late = new CancellationTokenSource(Patience);
        while (!Seen.Contains(text, StringComparison.Ordinal))
        {
            var read = _process.StandardOutput.BaseStream.ReadAsync(buffer, late.Token).AsTask().GetAwaiter().GetResult();
            if (read == 0)
            {
                throw new InvalidOperationException($"The program ended without \"{text}\": {Seen}");
            }

            _seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }

    public void Send(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
        _process.Dispose();
    }
}
