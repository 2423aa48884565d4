using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Tables;

/// <summary>A <see cref="TableAgent"/> some of whose sources hold what must be given back at its end.</summary>
internal sealed class OwningTableAgent(string name, int domain, IReadOnlyList<SourceTable> tables, IReadOnlyList<InstanceDomain> domains, ContainerCatalog containers)
    : TableAgent(name, domain, tables, domains, containers), IDisposable
{
    private readonly IReadOnlyList<IDisposable> _owned = [.. tables.Select(t => t.Source).OfType<IDisposable>()];

    /// <summary>Disposes the sources.</summary>
    public void Dispose()
    {
        foreach (var source in _owned)
        {
            source.Dispose();
        }
    }
}
