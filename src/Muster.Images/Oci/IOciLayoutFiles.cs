using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Oci;

/// <summary>The files of an image layout: a folder or a tar archive.</summary>
internal interface IOciLayoutFiles : IDisposable
{
    /// <summary>Whether there is such a file; names are as in the layout, <c>blobs/sha256/HEX</c>.</summary>
    bool Has(string name);

    /// <summary>Reads a whole file of at most <paramref name="most"/> bytes.</summary>
    byte[] Read(string name, int most);

    /// <summary>Opens a file from <paramref name="offset"/> on; null when there is none.</summary>
    Stream? TryOpen(string name, long offset);
}

/// <summary>A layout in a folder.</summary>
internal sealed class OciLayoutFolder(string folder) : IOciLayoutFiles
{
    public bool Has(string name) => File.Exists(Path.Combine(folder, name));

    public byte[] Read(string name, int most) => LayoutFiles.Read(Path.Combine(folder, name), most);

    public Stream? TryOpen(string name, long offset)
    {
        var stream = LayoutFiles.TryOpen(Path.Combine(folder, name));
        stream?.Seek(offset, SeekOrigin.Begin);
        return stream;
    }

    public void Dispose()
    {
    }
}

/// <summary>A layout in a tar archive.</summary>
internal sealed class OciLayoutTar(TarIndex archive) : IOciLayoutFiles
{
    public bool Has(string name) => archive.Has(name);

    public byte[] Read(string name, int most) => archive.Read(name, most);

    public Stream? TryOpen(string name, long offset) => archive.Has(name) ? archive.Open(name, offset) : null;

    public void Dispose() => archive.Dispose();
}
