namespace Muster.Network;

/// <summary>Modes of the few files that a program without privileges (dnsmasq as nobody) must read, whatever the caller's umask.</summary>
internal static class PublicFiles
{
#pragma warning disable CA1416 // Muster runs on Linux only.
    /// <summary>0644.</summary>
    public static void MakeReadable(string file) =>
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    /// <summary>Makes a folder that others may enter and list: 0755.</summary>
    public static void MakeFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        }
    }

    /// <summary>Whether every user may enter the folder by way of all its parents.</summary>
    public static bool IsReachable(string folder)
    {
        for (var at = folder; !string.IsNullOrEmpty(at); at = Path.GetDirectoryName(at))
        {
            if ((File.GetUnixFileMode(at) & UnixFileMode.OtherExecute) == UnixFileMode.None)
            {
                return false;
            }
        }

        return true;
    }
#pragma warning restore CA1416
}
