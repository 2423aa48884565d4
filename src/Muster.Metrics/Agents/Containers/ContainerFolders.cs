using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>A container's folders of control groups, for the few values that its own view of the machine takes from them.</summary>
internal sealed class ContainerFolders(CgroupHierarchies hierarchies)
{
    /// <summary>The folder of its group where a controller is, of v1 or v2; null when it has no group there.</summary>
    public string? Find(ContainerDescription container, string controller, out bool isV2)
    {
        var hierarchy = hierarchies.All.FirstOrDefault(h => h.Controllers.Contains(controller)) ?? hierarchies.All.FirstOrDefault(h => h.IsV2);
        isV2 = hierarchy?.IsV2 == true;
        return hierarchy is not null && ContainerGroups.Path(container, hierarchy) is { } path ? hierarchy.MountPoint + path : null;
    }

    /// <summary>The values of a file of keys and numbers.</summary>
    public static Dictionary<string, long> ReadKeyed(string path)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        using var text = KernelText.ReadFile(path);
        var lines = new TextLines(text.Bytes);
        while (lines.TryNext(out var line))
        {
            var fields = new TextFields(line);
            if (fields.TryNext(out var key) && fields.TryNumber(out var value))
            {
                found[Encoding.UTF8.GetString(key)] = value;
            }
        }

        return found;
    }

    /// <summary>A file's one number; <c>max</c> is -1, and null stands for no such file.</summary>
    public static long? ReadNumber(string path)
    {
        using var text = KernelText.ReadFile(path);
        return text.Error == 0 && GroupText.TryNumber(text.Bytes.TrimEnd((byte)'\n'), out var value) ? value : null;
    }

    /// <summary>A file's text without the line's end; empty for no such file.</summary>
    public static string ReadText(string path)
    {
        using var text = KernelText.ReadFile(path);
        return Encoding.UTF8.GetString(text.Bytes.TrimEnd((byte)'\n'));
    }

    /// <summary>The limit of a group or, where it has none, those of the groups below together; null for no limit.</summary>
    /// <param name="folder">The group.</param>
    /// <param name="own">A group's own limit, null for none.</param>
    public static double? Limit(string folder, Func<string, double?> own)
    {
        if (own(folder) is { } limit)
        {
            return limit;
        }

        string[] children;
        try
        {
            children = Directory.GetDirectories(folder);
        }
        catch (IOException)
        {
            return null;
        }

        double? sum = null;
        foreach (var child in children)
        {
            if (Limit(child, own) is not { } one)
            {
                return null;
            }

            sum = (sum ?? 0) + one;
        }

        return sum;
    }
}
