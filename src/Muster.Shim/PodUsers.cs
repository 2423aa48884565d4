using System.Text;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>The users of a pod that has its own.</summary>
internal static class PodUsers
{
    /// <summary>A descriptor of a user namespace with these ranges, for mounts whose owners are to be mapped; the caller closes it.</summary>
    public static int Open(IReadOnlyList<IdRange> ranges)
    {
        var text = new StringBuilder();
        foreach (var range in ranges)
        {
            text.Append(range.Inside).Append(' ').Append(range.Outside).Append(' ').Append(range.Count).Append('\n');
        }

        return IdMappedMount.OpenUserNamespace(text.ToString());
    }
}
