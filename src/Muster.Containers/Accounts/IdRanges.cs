using Muster.Core;

namespace Muster.Containers.Accounts;

/// <summary>Ranges of user ids for user namespaces: each is one file made with O_EXCL that names its pod, in <c>var/idranges</c>.</summary>
public static class IdRanges
{
    /// <summary>Ids in one range: all that a container with 16-bit ids can use.</summary>
    public const uint Size = 65_536;

    // Above what useradd hands out as sub-ids on common systems (100,000 up), and below 2^31.
    internal const uint First = 1_879_048_192;
    private const uint Count = 4_000;

    /// <summary>Claims the first free range and returns its first id.</summary>
    public static uint Claim(MusterRoot root, Guid pod, UndoStack undo)
    {
        var folder = Path.Combine(root.Var, "idranges");
        Directory.CreateDirectory(folder);
        for (uint i = 0; i < Count; i++)
        {
            var path = Path.Combine(folder, (First + (i * Size)).ToString());
            try
            {
                using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                file.Write(System.Text.Encoding.ASCII.GetBytes(pod.ToString()));
                undo.Push(() => File.Delete(path));
                return First + (i * Size);
            }
            catch (IOException) when (File.Exists(path))
            {
                // Somebody else's: try the next.
            }
        }

        throw new MusterException(ErrorKind.Exhausted, $"All {Count} ranges of user ids are in use: remove pods with --private-users that have ended");
    }

    /// <summary>Frees what a pod holds.</summary>
    public static void Release(MusterRoot root, Guid pod)
    {
        var folder = Path.Combine(root.Var, "idranges");
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var path in Directory.GetFiles(folder))
        {
            try
            {
                if (File.ReadAllText(path) == pod.ToString())
                {
                    File.Delete(path);
                }
            }
            catch (IOException)
            {
                // Another verb was faster.
            }
        }
    }
}
