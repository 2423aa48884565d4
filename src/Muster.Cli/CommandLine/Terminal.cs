using System.Runtime.InteropServices;

namespace Muster.Cli.CommandLine;

/// <summary>Where a verb writes: results on standard output, everything else on standard error.</summary>
public sealed partial class Terminal : IDisposable
{
    private readonly Lazy<TextWriter> _out = new(() => Open(Console.OpenStandardOutput()));
    private readonly Lazy<TextWriter> _error = new(() => Open(Console.OpenStandardError()));

    /// <summary>Results. Buffered; flushed when the verb ends.</summary>
    public TextWriter Out => _out.Value;

    /// <summary>Messages, warnings and progress.</summary>
    public TextWriter Error => _error.Value;

    /// <summary>Whether standard output is a terminal (and NO_COLOR is not set).</summary>
    public bool Colours { get; } = isatty(1) == 1 && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>Whether standard error is a terminal: progress is drawn only there.</summary>
    public bool ErrorIsTerminal { get; } = isatty(2) == 1;

    /// <summary>Writes one line to standard error at once.</summary>
    public void Say(string line)
    {
        Error.WriteLine(line);
        Error.Flush();
    }

    /// <summary>Writes a warning to standard error.</summary>
    public void Warn(string line) => Say("muster: warning: " + line);

    /// <summary>Puts <paramref name="text"/> in an SGR style where colours are shown.</summary>
    public string Style(string text, string sgr) => Colours ? $"\e[{sgr}m{text}\e[0m" : text;

    /// <summary>Writes out what is buffered.</summary>
    public void Flush()
    {
        if (_out.IsValueCreated)
        {
            _out.Value.Flush();
        }

        if (_error.IsValueCreated)
        {
            _error.Value.Flush();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Flush();
        }
        catch (IOException)
        {
            // The reader has gone (a closed pipe): nothing is left to tell it.
        }
    }

    private static StreamWriter Open(Stream stream) => new(stream, bufferSize: 16384) { AutoFlush = false };

    [LibraryImport("libc")]
    private static partial int isatty(int descriptor);
}
