using System.Text;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>How a shim was called.</summary>
internal sealed record ShimOptions
{
    /// <summary>The pod directory, absolute.</summary>
    public required string Directory { get; init; }

    /// <summary>Where to tell, once, that every app runs or why none does; negative when nobody waits.</summary>
    public int ReadyDescriptor { get; private set; } = -1;

    /// <summary>The descriptor that holds the pod's lock; kept open as long as the shim lives.</summary>
    public int LockDescriptor { get; private init; } = -1;

    /// <summary>True when standard output and error are a caller's and app output goes there too.</summary>
    public bool Foreground { get; private init; }

    /// <summary>True for the process that clears an ended pod behind its shim.</summary>
    public bool Clear { get; private init; }

    public static ShimOptions? Parse(string[] args)
    {
        if (args.Length == 0 || !args[0].StartsWith('/'))
        {
            return null;
        }

        var options = new ShimOptions { Directory = args[0] };
        foreach (var arg in args.AsSpan(1))
        {
            if (arg == "--foreground")
            {
                options = options with { Foreground = true };
            }
            else if (arg == "--clear")
            {
                options = options with { Clear = true };
            }
            else if (arg.StartsWith("--ready-fd=", StringComparison.Ordinal) && int.TryParse(arg.AsSpan(11), out var ready))
            {
                options = options with { ReadyDescriptor = ready };
            }
            else if (arg.StartsWith("--lock-fd=", StringComparison.Ordinal) && int.TryParse(arg.AsSpan(10), out var held))
            {
                options = options with { LockDescriptor = held };
            }
            else
            {
                return null;
            }
        }

        return options;
    }

    /// <summary>Tells the waiting caller that all is running.</summary>
    public void ReportReady() => Tell("ok\n");

    /// <summary>Tells the waiting caller the status that stands for it and one sentence, or standard error the sentence.</summary>
    public void ReportFailure(string sentence, int status = 254)
    {
        if (ReadyDescriptor >= 0)
        {
            Tell($"error {status} " + sentence.ReplaceLineEndings(" ") + "\n");
        }
        else if (Foreground)
        {
            Say(sentence);
        }
    }

    /// <summary>Writes a sentence to standard error; where that cannot be written to, nobody is left to be told.</summary>
    public static void Say(string sentence)
    {
        try
        {
            Descriptors.WriteAll(2, Encoding.UTF8.GetBytes("muster: " + sentence + "\n"));
        }
        catch (LinuxException)
        {
            // As said.
        }
    }

    private void Tell(string line)
    {
        if (ReadyDescriptor >= 0)
        {
            Descriptors.WriteAll(ReadyDescriptor, Encoding.UTF8.GetBytes(line));
            Descriptors.Close(ReadyDescriptor);
            ReadyDescriptor = -1;
        }
    }
}
