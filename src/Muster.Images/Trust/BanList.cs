using System.Text;
using Muster.Core;

namespace Muster.Images.Trust;

/// <summary>
/// Digests that never start: <c>policy.d/bans</c> and <c>policy.d/*.bans</c>, one a line, the rest of the line is the reason,
/// <c>#</c> begins a remark. A digest may be an image id, a manifest, a configuration or a layer
/// (as stored, or its diff_id).
/// </summary>
public sealed class BanList
{
    /// <summary>A hundred thousand digests fit; a longer list would be felt at every run.</summary>
    public const int MaxBytes = 16 << 20;

    private readonly string _folder;

    /// <summary>The list of <paramref name="root"/>; touches nothing.</summary>
    public BanList(MusterRoot root) => _folder = Path.Combine(root.Etc, "policy.d");

    /// <summary>Refuses an image when its id, a blob or tree of it or an image below it is banned.</summary>
    public void Check(ImageRecord image)
    {
        if (!Directory.Exists(_folder))
        {
            return;
        }

        var digests = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in image.Blobs.Concat(image.Trees).Concat(image.Dependencies).Append(image.Id))
        {
            if (Digest.TryParse(text, out var digest))
            {
                digests.Add(digest.FileName);
            }
        }

        Check(digests, image.Name);
    }

    /// <summary>Refuses something of which only digests are known: asked before anything is downloaded.</summary>
    public void Check(IEnumerable<Digest> digests, string name)
    {
        if (Directory.Exists(_folder))
        {
            Check(digests.Select(d => d.FileName).ToHashSet(StringComparer.Ordinal), name);
        }
    }

    private void Check(HashSet<string> digests, string name)
    {
        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            if (Path.GetFileName(path) != "bans" && !path.EndsWith(".bans", StringComparison.Ordinal))
            {
                continue;
            }

            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new MusterException(ErrorKind.Exhausted, $"The ban list {path} is larger than {MaxBytes >> 20} MiB: shorten it, nothing starts until then");
            }

            var number = 0;
            foreach (var line in File.ReadLines(path, Encoding.UTF8))
            {
                number++;
                CheckLine(line.AsSpan().Trim(), digests, name, path, number);
            }
        }
    }

    private static void CheckLine(ReadOnlySpan<char> line, HashSet<string> digests, string name, string path, int number)
    {
        if (line.IsEmpty || line[0] == '#')
        {
            return;
        }

        var end = line.IndexOfAny(' ', '\t');
        var text = (end < 0 ? line : line[..end]).ToString();
        if (!Digest.TryParse(text, out var digest))
        {
            // A line that bans nothing by a slip of the pen must not pass silently.
            throw new MusterException(ErrorKind.Invalid, $"{path}:{number}: \"{text}\" is not a digest (sha256:… or sha512-…): correct the ban list, nothing starts until then");
        }

        if (digests.Contains(digest.FileName))
        {
            var reason = end < 0 ? "" : line[end..].Trim().ToString();
            throw new MusterException(ErrorKind.Forbidden, $"{name} is banned by {path}:{number} ({digest}{(reason.Length == 0 ? "" : ": " + reason)}): use another version, or take the line out");
        }
    }
}
