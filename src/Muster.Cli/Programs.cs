using Muster.Core;

namespace Muster.Cli;

/// <summary>Where our own programs are: beside the running one, then in /usr/libexec/muster.</summary>
public static class Programs
{
    /// <summary>The path of another program of ours.</summary>
    public static string Locate(string name)
    {
        foreach (var folder in (ReadOnlySpan<string>)[AppContext.BaseDirectory, "/usr/libexec/muster", "/usr/local/libexec/muster"])
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new MusterException(ErrorKind.Unsupported, $"The program {name} is missing: it belongs beside muster or in /usr/libexec/muster; install Muster again");
    }

    /// <summary>The words that call this very program again for the same root.</summary>
    public static IReadOnlyList<string> Self(MusterRoot root)
    {
        var program = Environment.ProcessPath!;
        return Path.GetFileName(program) == "dotnet"
            ? [program, Path.Combine(AppContext.BaseDirectory, "muster.dll"), .. root.Arguments]
            : [program, .. root.Arguments];
    }
}
