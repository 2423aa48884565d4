using System.Text;
using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Aci;

/// <summary>The tar of an App Container image (appc spec/aci.md, Image Layout): <c>manifest</c> and <c>rootfs</c>, each name once, the manifest anywhere.</summary>
internal sealed class AciArchive
{
    private readonly byte[] _name;
    private readonly byte[] _link;
    private readonly TarLimits _limits;
    private bool _hasRoot;

    private AciArchive(TarLimits limits)
    {
        // Nothing else proves that an uncompressed, unsigned image is whole.
        _limits = limits with { RequireEndMarker = true };
        _name = new byte[limits.MaxPathBytes + 2];
        _link = new byte[limits.MaxPathBytes + 2];
    }

    public byte[] Manifest { get; private set; } = [];

    public long Bytes { get; private set; }

    /// <summary>Directories that the archive has only as parents of others; rendering lets another image say what they are.</summary>
    public IReadOnlyList<string> ImplicitFolders { get; private set; } = [];

    /// <summary>Unpacks the root file system into an empty directory; null skips it and only reads the manifest.</summary>
    public static AciArchive Read(Stream content, string? root, TarLimits limits)
    {
        var archive = new AciArchive(limits);
        using var reader = new TarReader(content, archive._limits);
        using var tree = root is null ? null : new TreeExtractor(root, new ExtractionRules(Whiteouts: false, RefuseDuplicates: true), archive._limits);
        while (reader.Next() is { } entry)
        {
            archive.Take(entry, reader, tree);
        }

        if (archive.Manifest.Length == 0 || !archive._hasRoot)
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive is not an App Container image: it has no {(archive.Manifest.Length == 0 ? "manifest" : "rootfs")} at its top");
        }

        tree?.Finish();
        archive.Bytes = tree?.Bytes ?? 0;
        archive.ImplicitFolders = tree?.ImplicitFolders ?? [];
        return archive;
    }

    private void Take(TarEntry entry, TarReader reader, TreeExtractor? tree)
    {
        var length = TarPath.Normalise(entry.Name, _name, _limits);
        var name = _name.AsSpan(0, length);
        if (length == 0 && entry.Type == TarEntryType.Directory)
        {
            // "tar -C DIR -c ." writes the folder itself as well.
            return;
        }

        if (name.SequenceEqual("manifest"u8))
        {
            if (entry.Type != TarEntryType.File || Manifest.Length > 0 || entry.Size == 0)
            {
                throw new MusterException(ErrorKind.Invalid, "The archive's manifest is not one regular file with content");
            }

            Manifest = reader.ReadWhole(AciManifestReader.MaxBytes, "manifest");
            return;
        }

        if (!name.SequenceEqual("rootfs"u8) && !name.StartsWith("rootfs/"u8))
        {
            throw new MusterException(ErrorKind.Invalid, $"The archive is not an App Container image: it has \"{entry.DisplayName}\" beside manifest and rootfs");
        }

        if (name.Length == 6 && entry.Type != TarEntryType.Directory)
        {
            throw new MusterException(ErrorKind.Invalid, "The archive's rootfs is not a directory");
        }

        _hasRoot = true;
        ReadOnlySpan<byte> link = [];
        if (entry.Type == TarEntryType.HardLink)
        {
            var linkLength = TarPath.Normalise(entry.LinkName, _link, _limits);
            link = _link.AsSpan(0, linkLength);
            link = link.StartsWith("rootfs/"u8)
                ? link[7..]
                : throw new MusterException(ErrorKind.Invalid, $"The archive has a hard link \"{entry.DisplayName}\" to \"{Encoding.UTF8.GetString(link)}\", which is outside rootfs");
        }

        tree?.Extract(entry, name.Length == 6 ? [] : name[7..], link, reader);
    }
}
