using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// What stands in the records of events: metrics without instances, since a record is an instance's already, and without
/// values of their own (pmUnpackEventRecords(3)).
/// </summary>
internal sealed class EventParameterSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, ["count"]))
{
    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => true;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
    }
}
