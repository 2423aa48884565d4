namespace Muster.Metrics.Agents.Kernel;

/// <summary>Which CPU is on which memory node, as /sys says.</summary>
internal static class CpuTopology
{
    /// <summary>The node of each CPU by the CPU's number, -1 where it has none.</summary>
    public static int[] NodeOfCpu(IReadOnlyList<int> nodes)
    {
        var found = new List<int>();
        foreach (var node in nodes)
        {
            foreach (var cpu in Cpus($"/sys/devices/system/node/node{node}/cpulist"))
            {
                while (found.Count <= cpu)
                {
                    found.Add(-1);
                }

                found[cpu] = node;
            }
        }

        return [.. found];
    }

    /// <summary>Reads a list such as <c>0-3,8</c>; empty when there is no such file or no such list in it.</summary>
    public static IReadOnlyList<int> Cpus(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path).AsSpan().Trim());
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The numbers of a list such as <c>0-3,8</c>; what is not one is left out.</summary>
    internal static IReadOnlyList<int> Parse(ReadOnlySpan<char> list)
    {
        // The kernel's own limit is 8,192 CPUs.
        const int maxCpu = 8192;
        var found = new List<int>();
        foreach (var range in list.Split(','))
        {
            var part = list[range];
            var dash = part.IndexOf('-');
            if (int.TryParse(dash < 0 ? part : part[..dash], out var first) && int.TryParse(dash < 0 ? part : part[(dash + 1)..], out var last) && first >= 0)
            {
                for (var cpu = first; cpu <= last && cpu < maxCpu && found.Count < maxCpu; cpu++)
                {
                    found.Add(cpu);
                }
            }
        }

        return found;
    }

    public static IReadOnlyList<KeyValuePair<string, string>> Labels(int cpu) =>
        cpu < 0 ? [new("device_type", "cpu"), new("indom_name", "per cpu")] : [new("cpu", cpu.ToString())];
}
