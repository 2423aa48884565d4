namespace Muster.Metrics.Names;

/// <summary>How an instance is found by its name: whole, or up to its first space ("1" is "1 minute").</summary>
public static class InstanceMatch
{
    public static MetricInstance? Find(IReadOnlyList<MetricInstance> instances, string name)
    {
        MetricInstance? beginning = null;
        foreach (var instance in instances)
        {
            if (instance.Name == name)
            {
                return instance;
            }

            if (beginning is null && instance.Name.Length > name.Length && instance.Name[name.Length] == ' ' && instance.Name.StartsWith(name, StringComparison.Ordinal))
            {
                beginning = instance;
            }
        }

        return beginning;
    }
}
