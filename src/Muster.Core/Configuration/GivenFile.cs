using System.Text;

namespace Muster.Core;

/// <summary>Files that a user names on the command line or in a configuration: a file, or a pipe as a shell's <c>&lt;(…)</c> makes one.</summary>
public static class GivenFile
{
    /// <summary>What a person writes is shorter.</summary>
    public const int MaxWritten = 1024 * 1024;

    /// <summary>Reads a file to its end, but never more than <paramref name="maxBytes"/>, whatever its length seems to be.</summary>
    /// <param name="path">As the user gave it.</param>
    /// <param name="kind">What it is to be, with its article: <c>a pod manifest</c>.</param>
    /// <param name="maxBytes">The longest that is taken, in bytes.</param>
    /// <exception cref="MusterException">It is not there, a folder, too long or not readable.</exception>
    public static byte[] Read(string path, string kind, int maxBytes = MaxWritten)
    {
        if (Directory.Exists(path))
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} is a folder: name {kind}, which is a file");
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var bytes = new byte[Math.Min(maxBytes, 16 * 1024) + 1];
            var length = 0;
            while (file.Read(bytes.AsSpan(length)) is > 0 and var read)
            {
                length += read;
                if (length > maxBytes)
                {
                    throw new MusterException(ErrorKind.Invalid, $"{path} has more than {maxBytes} bytes: this is not {kind}");
                }

                if (length == bytes.Length)
                {
                    Array.Resize(ref bytes, (int)Math.Min(bytes.Length * 2L, maxBytes + 1L));
                }
            }

            return bytes[..length];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new MusterException(ErrorKind.NotFound, $"There is no file {path}: name {kind}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static string ReadText(string path, string kind, int maxBytes = MaxWritten)
    {
        var bytes = Read(path, kind, maxBytes).AsSpan();
        var mark = Encoding.UTF8.Preamble;
        return Encoding.UTF8.GetString(bytes.StartsWith(mark) ? bytes[mark.Length..] : bytes);
    }
}
