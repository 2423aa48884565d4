using Muster.Core;
using Muster.Core.Configuration;

namespace Muster.Linux;

/// <summary>etc/muster.yaml of a root.</summary>
public static class SettingsFile
{
    public static string PathOf(MusterRoot root) => Path.Combine(root.Etc, "muster.yaml");

    /// <summary>The file's settings; the defaults where there is no file.</summary>
    public static Settings Load(MusterRoot root)
    {
        var path = PathOf(root);
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return Settings.Defaults;
        }

        return file.Length <= Settings.MaxBytes
            ? Settings.Parse(File.ReadAllText(path), path)
            : throw new MusterException(ErrorKind.Invalid, $"{path} has {file.Length} bytes, more than the {Settings.MaxBytes} that are read");
    }
}
