using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>The columns of one sheet of a source; the domain of instances is none for a sheet of one row.</summary>
internal sealed record SheetShape(InstanceDomainId Domain, IReadOnlyList<string> Columns);

/// <summary>What a source shows to a client that named a container.</summary>
internal enum ContainerScope
{
    /// <summary>The host's values, whatever container is named.</summary>
    Host,

    /// <summary>The container's own; without such a container there is nothing.</summary>
    Container,

    /// <summary>What the container's processes see; while it has none there is no value, and never the host's in its place.</summary>
    RunningContainer,
}

/// <summary>
/// Something that is read as a whole (a file under /proc, a folder of /sys) and gives the values of many metrics. Sources
/// are shared by all clients and keep no state of one reading.
/// </summary>
internal abstract class Source(ContainerScope scope, params IReadOnlyList<SheetShape> shapes)
{
    public ContainerScope Scope => scope;

    public IReadOnlyList<SheetShape> Shapes => shapes;

    /// <summary>Fills the sheets, one for each of <see cref="Shapes"/>; those of which nothing is asked may stay empty.</summary>
    public abstract void Read(ReadContext context, ReadOnlySpan<Sheet> sheets);

    /// <summary>Whether this kernel gives a column any value, judged by a reading; a source that is expensive or often empty knows better.</summary>
    public virtual bool Supports(Sheet probe, int column)
    {
        if (probe.Error != 0)
        {
            return false;
        }

        for (var row = 0; row < probe.Rows; row++)
        {
            if (probe.Has(row, column))
            {
                return true;
            }
        }

        return probe.Rows == 0;
    }

    /// <summary>Whether a reading takes so long that it is worth another processor: one of hundreds of files.</summary>
    public virtual bool IsLong => false;

    /// <summary>What the first reading is restricted to, which finds what this kernel has.</summary>
    public virtual InstanceSelection ProbeSelection => InstanceSelection.Everything;

    /// <summary>Whether every client has a value of its own in a column without instances.</summary>
    public virtual bool IsClientsOwn(int column) => false;

    /// <summary>Stores into a column without instances; a PCP error code, or 0.</summary>
    public virtual int Store(int column, MetricValue value, MetricView view) => PcpError.Permission;

    /// <summary>The name of an instance that a reading gave; null where numbers are used again and only a reading tells.</summary>
    public virtual string? NameOf(InstanceDomainId domain, int instance) => null;

    /// <summary>Labels of a domain of instances (<paramref name="instance"/> -1) or of one of its instances.</summary>
    public virtual IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) => [];
}

/// <summary>Whose reading it is.</summary>
/// <param name="View">Credentials and profile.</param>
/// <param name="Container">The container that the client named and the source heeds, or null.</param>
internal readonly record struct ReadContext(MetricView View, ContainerDescription? Container)
{
    /// <summary>The process in whose namespaces to look, or 0 for our own.</summary>
    public int Pid => Container?.InitPid ?? 0;
}
