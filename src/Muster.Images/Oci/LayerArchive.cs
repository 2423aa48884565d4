using Muster.Images.Archives;

namespace Muster.Images.Oci;

/// <summary>A layer's tar as an overlayfs lower.</summary>
internal static class LayerArchive
{
    /// <summary>Unpacks into an empty directory; returns the sum of the files' sizes.</summary>
    public static long Unpack(Stream content, string root, TarLimits limits)
    {
        using var reader = new TarReader(content, limits);
        using var tree = new TreeExtractor(root, new ExtractionRules(Whiteouts: true, RefuseDuplicates: false), limits);
        while (reader.Next() is { } entry)
        {
            tree.Extract(entry, entry.Name, entry.LinkName, reader);
        }

        tree.Finish();
        return tree.Bytes;
    }
}
