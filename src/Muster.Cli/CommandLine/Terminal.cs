using Muster.Linux;

namespace Muster.Cli.CommandLine;

/// <summary>
/// Where a verb writes: results on standard output, everything else on standard error. Not through System.Console, which
/// sends a terminal escape sequences at the first line.
/// </summary>
public sealed class Terminal : IDisposable
{
    private readonly Lazy<TextWriter> _out = new(() => Open(new DescriptorStream(1, isNeeded: true)));
    private readonly Lazy<TextWriter> _error = new(() => Open(new DescriptorStream(2, isNeeded: false)));

    /// <summary>Results. Buffered; flushed when the verb ends.</summary>
    public TextWriter Out => _out.Value;

    /// <summary>Messages, warnings and progress.</summary>
    public TextWriter Error => _error.Value;

    /// <summary>Whether standard output is a terminal (and NO_COLOR is not set).</summary>
    public bool Colours { get; } = TerminalDevice.Is(1) && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>Whether standard error is a terminal: progress is drawn only there.</summary>
    public bool ErrorIsTerminal { get; } = TerminalDevice.Is(2);

    /// <summary>Writes one line to standard error at once.</summary>
    public void Say(string line)
    {
        Error.WriteLine(Harmless(line));
        Error.Flush();
    }

    // Sentences quote servers, images and files: what they say must not steer the terminal, nor show in another order than it stands.
    private static string Harmless(string line)
    {
        static bool Steers(char c) => (char.IsControl(c) && c is not ('\n' or '\t')) || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
        return line.Any(Steers) ? string.Concat(line.Select(c => Steers(c) ? '?' : c)) : line;
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
            // Nothing is left that could be told of it.
        }
    }

    private static StreamWriter Open(Stream stream) => new(stream, bufferSize: 16384) { AutoFlush = false };
}
