using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Memory;

/// <summary>What is fixed for a boot.</summary>
internal sealed class PageSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, ["pagesize"]))
{
    public const string Table = """
        hinv.pagesize 1.11 - u32 discrete B = | Size of a page
        """;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets) => sheets[0].Set(sheets[0].AddRow(-1), 0, Environment.SystemPageSize);
}
