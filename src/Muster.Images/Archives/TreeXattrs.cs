using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Archives;

/// <summary>Which extended attributes travel between archives and trees.</summary>
internal static class TreeXattrs
{
    private static readonly byte[] Opaque = "trusted.overlay.opaque"u8.ToArray();

    /// <summary>Whether overlayfs shows nothing of the lowers below this folder (Documentation/filesystems/overlayfs.rst, "opaque").</summary>
    public static bool IsOpaque(int folder, ReadOnlySpan<byte> name) =>
        ExtendedAttributes.List(folder, name).Any(x => x.Key.AsSpan().SequenceEqual(Opaque) && x.Value is [(byte)'y', ..]);

    /// <summary>
    /// False for labels that belong to a host, not to an image (SELinux, IMA, EVM). overlayfs's own attributes are refused:
    /// they could make a layer show files of other layers.
    /// </summary>
    public static bool IsKept(ReadOnlySpan<byte> name, TarEntry entry)
    {
        if (name.StartsWith("trusted.overlay."u8))
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive sets the attribute \"{TarEntry.Display(name)}\" on \"{entry.DisplayName}\", which only overlayfs itself may set");
        }

        return IsKept(name);
    }

    /// <summary>The same for attributes read from a tree, where overlayfs's marks are ours.</summary>
    public static bool IsKept(ReadOnlySpan<byte> name) =>
        !name.StartsWith("trusted.overlay."u8) && !name.SequenceEqual("security.selinux"u8) && !name.SequenceEqual("security.ima"u8) && !name.SequenceEqual("security.evm"u8);
}
