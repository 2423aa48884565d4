using Muster.Core;
using Muster.Images.Archives;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>Tells from its content what a file or folder is.</summary>
public static class ArchiveKinds
{
    /// <summary>Entries looked at before a file counts as an App Container image: the telling ones come early.</summary>
    private const int MaxEntries = 10_000;

    /// <summary>The reference prefix for a path: <c>oci</c>, <c>oci-archive</c>, <c>docker-archive</c>, or nothing for an App Container image.</summary>
    public static string Recognise(string path)
    {
        if (Directory.Exists(path))
        {
            return File.Exists(Path.Combine(path, "oci-layout"))
                ? "oci"
                : throw new MusterException(ErrorKind.Invalid, $"{path} is a folder without a file oci-layout: build it with muster image build, or name an archive");
        }

        using var file = LayoutFiles.TryOpenGiven(path) ?? throw new MusterException(ErrorKind.NotFound, $"{path} does not exist");
        try
        {
            using var content = Decompression.Open(file);
            using var reader = new TarReader(content, TarLimits.Default);
            var docker = false;
            for (var i = 0; i < MaxEntries && reader.Next() is { } entry; i++)
            {
                var name = entry.Name.AsSpan();
                name = name.StartsWith("./"u8) ? name[2..] : name;
                if (name.SequenceEqual("oci-layout"u8))
                {
                    return "oci-archive";
                }

                docker |= name.SequenceEqual("manifest.json"u8);
                if (name.SequenceEqual("manifest"u8) || name.StartsWith("rootfs"u8))
                {
                    return "";
                }
            }

            return docker ? "docker-archive" : throw new MusterException(ErrorKind.Invalid, $"{path} is neither an App Container image nor an archive of OCI or Docker");
        }
        catch (InvalidDataException e)
        {
            throw new MusterException(ErrorKind.Corrupt, $"{path} cannot be decompressed: {e.Message}", e);
        }
    }
}
