using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>
/// The numbers of instances by their names: given in the order of appearance, kept while the node runs, so that a name that
/// comes back has its number again.
/// </summary>
internal sealed class InstanceNames
{
    /// <summary>Names that come and go (of links, groups) are forgotten beyond this, the oldest first; their numbers are not used again.</summary>
    public const int MaxNames = 65536;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], MetricInstance> _byName;
    private readonly Dictionary<byte[], MetricInstance>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly Queue<byte[]> _order = new();
    private int _next;

    public InstanceNames()
    {
        _byName = new Dictionary<byte[], MetricInstance>(ByteNames);
        _lookup = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    private static Text.ByteNames ByteNames => Text.ByteNames.Comparer;

    /// <summary>The instance of a name, a new one when the name is new.</summary>
    public MetricInstance Find(ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            if (_lookup.TryGetValue(name, out var found))
            {
                return found;
            }

            var key = name.ToArray();
            found = new MetricInstance(_next++, Encoding.UTF8.GetString(name));
            if (_order.Count >= MaxNames)
            {
                _byName.Remove(_order.Dequeue());
            }

            _order.Enqueue(key);
            _byName[key] = found;
            return found;
        }
    }

    public MetricInstance Find(string name) => Find(Encoding.UTF8.GetBytes(name));
}
