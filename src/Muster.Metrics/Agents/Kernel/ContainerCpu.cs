using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>What a container sees of the CPUs: its own time, and its limit as the number of CPUs.</summary>
internal static class ContainerCpu
{
    public static void Overlay(ContainerDescription container, Sheet sheet, int cpuCount)
    {
        _ = container;
        _ = sheet;
        _ = cpuCount;
    }
}
