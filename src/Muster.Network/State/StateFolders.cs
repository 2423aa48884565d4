using Muster.Linux;
using Muster.Linux.Namespaces;

namespace Muster.Network;

/// <summary>The folders of <c>run/network</c>, emptied of what an earlier boot left there.</summary>
internal static class StateFolders
{
    /// <summary>Makes the folders. Below <c>--root</c> they are on a disk and survive a reboot that their subjects do not: the boot's id tells.</summary>
    public static void Prepare(NetworkPaths paths)
    {
        var boot = ProcessControl.BootId();
        if (IsOf(paths, boot))
        {
            return;
        }

        using var held = NetworkPaths.TakeHostLock();
        if (IsOf(paths, boot))
        {
            return;
        }

        if (Directory.Exists(paths.State))
        {
            Directory.Delete(paths.State, recursive: true);
        }

        Directory.CreateDirectory(paths.Namespaces);
        foreach (var file in Directory.EnumerateFiles(paths.Namespaces).Where(f => Guid.TryParse(Path.GetFileName(f), out _)))
        {
            NetworkNamespace.Remove(file);
        }

        PublicFiles.MakeFolder(paths.State);
        PublicFiles.MakeFolder(paths.Networks);
        Directory.CreateDirectory(paths.Pods);
        Directory.CreateDirectory(paths.Ports);
        File.WriteAllText(paths.BootFile, boot);
    }

    private static bool IsOf(NetworkPaths paths, string boot)
    {
        try
        {
            return File.ReadAllText(paths.BootFile) == boot;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
