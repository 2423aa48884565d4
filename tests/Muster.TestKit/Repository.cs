namespace Muster.TestKit;

/// <summary>Where the checkout and the published programs are.</summary>
public static class Repository
{
    /// <summary>The folder with Muster.slnx.</summary>
    public static string Folder { get; } = Find();

    /// <summary>A published program; run ./build.sh first. MUSTER_PROGRAMS names another folder with such programs.</summary>
    public static string Program(string name)
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("MUSTER_PROGRAMS") ?? Path.Combine(Folder, "out"), name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run ./build.sh before the tests");
    }

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Muster.slnx")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("The tests do not run inside a checkout");
    }
}
