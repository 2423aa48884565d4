using System.Globalization;
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

        var options = Options(lowers, upper, work, more);
        if (Encoding.UTF8.GetByteCount(options) < PageSize)
        {
            Mount.Make("overlay", target, "overlay", upper is null ? Mount.ReadOnly : 0, options);
            return;
        }

        MakeByNumbers(lowers, upper, work, target, more);
    }

    // Many layers: each is opened and named by its descriptor's number, from inside /proc/self/fd. With the digest in its name
    // a lower takes some eighty bytes even relative to its folder, and fifty of them would fill the page.
    private static void MakeByNumbers(IReadOnlyList<string> lowers, string? upper, string? work, string target, string? more)
    {
        var here = Environment.CurrentDirectory;
        var opened = new List<DirectoryHandle>(lowers.Count);
        try
        {
            foreach (var lower in lowers)
            {
                opened.Add(DirectoryHandle.Open(lower));
            }

            Environment.CurrentDirectory = "/proc/self/fd";
            var numbers = opened.ConvertAll(o => o.Descriptor.ToString(CultureInfo.InvariantCulture));
            Mount.Make("overlay", target, "overlay", upper is null ? Mount.ReadOnly : 0, Options(numbers, upper, work, more));
        }
        finally
        {
            Environment.CurrentDirectory = here;
            opened.ForEach(o => o.Dispose());
        }
    }

    private static string Options(IReadOnlyList<string> lowers, string? upper, string? work, string? more)
    {
        var options = new StringBuilder("lowerdir=");
        for (var i = 0; i < lowers.Count; i++)
        {
            options.Append(i == 0 ? "" : ":").Append(Escape(lowers[i]));
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
}
