using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>Names of tar entries as paths below a root.</summary>
internal static class TarPath
{
    /// <summary>
    /// Writes the path without leading slashes, empty parts and "." into <paramref name="to"/>, NUL-terminated, and returns its
    /// length without the NUL; 0 means the root. ".." is refused: no image needs it and every escape begins with it.
    /// </summary>
    public static int Normalise(ReadOnlySpan<byte> name, Span<byte> to, TarLimits limits)
    {
        var length = 0;
        var depth = 0;
        while (name.Length > 0)
        {
            var slash = name.IndexOf((byte)'/');
            var part = slash < 0 ? name : name[..slash];
            name = slash < 0 ? [] : name[(slash + 1)..];
            if (part.Length == 0 || part.SequenceEqual("."u8))
            {
                continue;
            }

            if (part.SequenceEqual(".."u8))
            {
                throw new MusterException(ErrorKind.Invalid, $"The archive has a name with \"..\" in it (\"{TarEntry.Display(to[..length])}/..\"), which could leave the image's root; nothing of it was kept");
            }

            if (part.Length > limits.MaxNameBytes || ++depth > limits.MaxDepth || length + part.Length + 2 > to.Length)
            {
                throw new MusterException(ErrorKind.Invalid, $"The archive has a name that is too long or too deep: at most {limits.MaxNameBytes} bytes a part, {limits.MaxDepth} parts (\"{TarEntry.Display(part)}\")");
            }

            if (length > 0)
            {
                to[length++] = (byte)'/';
            }

            part.CopyTo(to[length..]);
            length += part.Length;
        }

        to[length] = 0;
        return length;
    }
}
