using System.Text;

namespace Muster.Linux;

/// <summary>overlayfs mounts (kernel Documentation/filesystems/overlayfs.rst) through mount(2), whose options must fit into one page.</summary>
public static class Overlay
{
    /// <summary>The kernel's own limit on stacked lower layers (OVL_MAX_STACK).</summary>
    public const int MaxLowers = 500;

    private const int PageSize = 4096;

    /// <summary>Mounts <paramref name="lowers"/> (topmost first) with an optional upper and work directory at <paramref name="target"/>.</summary>
    public static void Make(IReadOnlyList<string> lowers, string? upper, string? work, string target, string? more = null)
    {
        if (lowers.Count is 0 or > MaxLowers)
        {
            throw new ArgumentOutOfRangeException(nameof(lowers), lowers.Count, $"An overlay takes 1 to {MaxLowers} lower directories");
        }

        // One lower and no upper is not an overlay to the kernel: it wants two lowers, so a bind serves.
        if (upper is null && lowers.Count == 1)
        {
            Mount.Bind(lowers[0], target);
            Mount.RemountBind(target, Mount.ReadOnly);
            return;
        }

        var common = CommonFolder(lowers);
        var options = Options(lowers, upper, work, more, prefix: "");
        if (Encoding.UTF8.GetByteCount(options) < PageSize)
        {
            Mount.Make("overlay", target, "overlay", upper is null ? Mount.ReadOnly : 0, options);
            return;
        }

        // Many layers: name them relative to the folder they share, from inside it.
        var here = Environment.CurrentDirectory;
        Environment.CurrentDirectory = common;
        try
        {
            Mount.Make("overlay", target, "overlay", upper is null ? Mount.ReadOnly : 0, Options(lowers, upper, work, more, common + "/"));
        }
        finally
        {
            Environment.CurrentDirectory = here;
        }
    }

    private static string Options(IReadOnlyList<string> lowers, string? upper, string? work, string? more, string prefix)
    {
        var options = new StringBuilder("lowerdir=");
        for (var i = 0; i < lowers.Count; i++)
        {
            options.Append(i == 0 ? "" : ":").Append(Escape(lowers[i].AsSpan(prefix.Length)));
        }

        if (upper is not null)
        {
            options.Append(",upperdir=").Append(Escape(upper)).Append(",workdir=").Append(Escape(work));
        }

        return more is { Length: > 0 } ? options.Append(',').Append(more).ToString() : options.ToString();
    }

    // Backslash quotes colon (between lowers), comma (between options) and itself.
    private static string Escape(ReadOnlySpan<char> path)
    {
        if (path.IndexOfAny(",:\\") < 0)
        {
            return path.ToString();
        }

        var escaped = new StringBuilder();
        foreach (var c in path)
        {
            escaped.Append(c is ',' or ':' or '\\' ? "\\" : "").Append(c);
        }

        return escaped.ToString();
    }

    private static string CommonFolder(IReadOnlyList<string> paths)
    {
        var common = Path.GetDirectoryName(paths[0]) ?? "/";
        foreach (var path in paths)
        {
            while (common.Length > 1 && !path.StartsWith(common + "/", StringComparison.Ordinal))
            {
                common = Path.GetDirectoryName(common) ?? "/";
            }
        }

        return common;
    }
}
