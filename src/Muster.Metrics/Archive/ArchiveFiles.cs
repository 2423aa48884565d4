using System.Globalization;
using Muster.Core;

namespace Muster.Metrics.Archive;

/// <summary>Which files make up an archive.</summary>
internal sealed record ArchiveFiles(string Base, string Meta, string Index, IReadOnlyList<(int Number, string Path)> Volumes)
{
    // What PCP's tools compress with besides; nobody has met it for years.
    private static readonly string[] OtherCompressions = [".lzma", ".bz", ".Z", ".z"];

    /// <summary>Finds an archive by its base name or by any of its files.</summary>
    public static ArchiveFiles Find(string path)
    {
        var name = BaseOf(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(name))!;
        var meta = VolumeCompression.Endings.Prepend("").Select(c => name + ".meta" + c).FirstOrDefault(File.Exists);
        if (meta is null)
        {
            var compressed = OtherCompressions.Select(c => name + ".meta" + c).FirstOrDefault(File.Exists);
            throw compressed is null
                ? new MusterException(ErrorKind.NotFound, $"There is no archive {name}: {name}.meta does not exist")
                : NotTaken(compressed);
        }

        var volumes = new SortedDictionary<int, string>();
        foreach (var file in Directory.EnumerateFiles(folder, Path.GetFileName(name).Replace("*", "?", StringComparison.Ordinal) + ".*"))
        {
            if (Volume(file, Path.GetFileName(name)) is { } number && (!volumes.TryGetValue(number, out var other) || VolumeCompression.IsCompressed(other)))
            {
                volumes[number] = file;
            }
        }

        return volumes.Count switch
        {
            0 => throw new MusterException(ErrorKind.Corrupt, $"The archive {name} has no volume: {name}.0 does not exist"),
            > ArchiveFormat.MaxVolumes => throw new MusterException(ErrorKind.Exhausted, $"The archive {name} has more than {ArchiveFormat.MaxVolumes} volumes"),
            _ => new ArchiveFiles(name, meta, name + ".index", [.. volumes.Select(v => (v.Key, v.Value))]),
        };
    }

    /// <summary>The base names of all archives of a folder, in the order of their names: ours and pmlogger's begin with the time.</summary>
    public static IReadOnlyList<string> In(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.meta*").Select(Path.GetFileName).OfType<string>()
            .Where(f => f.EndsWith(".meta", StringComparison.Ordinal) || VolumeCompression.Endings.Concat(OtherCompressions).Any(c => f.EndsWith(".meta" + c, StringComparison.Ordinal)))
            .Select(f => Path.Combine(folder, f[..f.LastIndexOf(".meta", StringComparison.Ordinal)])).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Every file of the archive that exists, the .meta file last: without it there is no archive.</summary>
    public IEnumerable<string> All() => Volumes.Select(v => v.Path).Append(Index).Append(Meta).Where(File.Exists);

    /// <summary>Opens a file of the archive, decompressed.</summary>
    public static Stream Open(string path)
    {
        try
        {
            return OtherCompressions.Any(c => path.EndsWith(c, StringComparison.Ordinal))
                ? throw NotTaken(path)
                : VolumeCompression.Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024, FileOptions.SequentialScan), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static MusterException NotTaken(string path) =>
        new(ErrorKind.Unsupported, $"{path} is compressed with something else than xz, zstd, gzip or bzip2: decompress it first, or compress it with one of these");

    private static string BaseOf(string path)
    {
        var name = path;
        foreach (var compression in VolumeCompression.Endings.Concat(OtherCompressions))
        {
            name = name.EndsWith(compression, StringComparison.Ordinal) ? name[..^compression.Length] : name;
        }

        var dot = name.LastIndexOf('.');
        var isPart = dot > 0 && (name[dot..] is ".meta" or ".index" || (name.Length - dot is > 1 and < 8 && name.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9') < 0));
        return isPart && VolumeCompression.Endings.Prepend("").Any(c => File.Exists(name[..dot] + ".meta" + c)) ? name[..dot] : path;
    }

    private static int? Volume(string file, string name)
    {
        var rest = Path.GetFileName(file);
        if (!rest.StartsWith(name + ".", StringComparison.Ordinal))
        {
            return null;
        }

        rest = rest[(name.Length + 1)..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        var isKnown = dot < 0 || VolumeCompression.Endings.Contains(rest[dot..]) || OtherCompressions.Contains(rest[dot..]);
        return isKnown && int.TryParse(dot < 0 ? rest : rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
