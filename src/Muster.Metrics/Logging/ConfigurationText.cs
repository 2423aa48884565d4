using Muster.Core;

namespace Muster.Metrics.Logging;

/// <summary>Files of configuration that people write.</summary>
internal static class ConfigurationText
{
    /// <summary>A person writes these files.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Reads a file of at most <see cref="MaxBytes"/>.</summary>
    public static string Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : throw new MusterException(ErrorKind.Invalid, $"{path} has more than {MaxBytes} bytes: this is no configuration");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new MusterException(ErrorKind.NotFound, $"There is no file {path}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }
}
