using System.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>
/// The numbers of instances by their names: given in the order of appearance, kept while the node runs, so that a name that
/// comes back has its number again.
/// </summary>
internal sealed class InstanceNames(int capacity = InstanceNames.MaxNames)
{
    /// <summary>Names that come and go (of links, groups) are forgotten beyond this, those not seen for longest first; their numbers are not used again.</summary>
    public const int MaxNames = 65536;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], Entry> _byName = new(Text.ByteNames.Comparer);
    private readonly Dictionary<int, string> _byNumber = [];
    private int _next;
    private long _now;

    /// <summary>The instance of a name, a new one when the name is new.</summary>
    public MetricInstance Find(ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            var lookup = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!lookup.TryGetValue(name, out var entry))
            {
                if (_byName.Count >= capacity)
                {
                    ForgetHalf();
                }

                entry = new Entry(new MetricInstance(_next++, Encoding.UTF8.GetString(name)));
                lookup[name] = entry;
                _byNumber[entry.Instance.Id] = entry.Instance.Name;
            }

            entry.LastSeen = ++_now;
            return entry.Instance;
        }
    }

    public MetricInstance Find(string name) => Find(Encoding.UTF8.GetBytes(name));

    /// <summary>The name of a number; null when it was never given or is forgotten.</summary>
    public string? NameOf(int instance)
    {
        lock (_gate)
        {
            return _byNumber.GetValueOrDefault(instance);
        }
    }

    private void ForgetHalf()
    {
        foreach (var (key, entry) in _byName.OrderBy(e => e.Value.LastSeen).Take(capacity / 2).ToList())
        {
            _byName.Remove(key);
            _byNumber.Remove(entry.Instance.Id);
        }
    }

    private sealed class Entry(MetricInstance instance)
    {
        public MetricInstance Instance => instance;

        public long LastSeen { get; set; }
    }
}
