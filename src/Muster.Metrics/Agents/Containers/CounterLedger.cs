using Muster.Metrics.Containers;

namespace Muster.Metrics.Agents.Containers;

/// <summary>
/// Counters that outlive what they are read from: for each container's name the sum of all that was ever counted, whatever
/// control groups and network namespaces its restarts took. A reading adds what the source has counted since the last one.
/// </summary>
internal sealed class CounterLedger
{
    /// <summary>Names remembered; those of containers not seen for longest are forgotten first.</summary>
    public const int MaxContainers = 4096;

    /// <summary>Sources of one container's one counter: its groups and interfaces.</summary>
    private const int MaxSources = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Account> _accounts = new(StringComparer.Ordinal);
    private long _now;
    private long _version;

    /// <summary>Grows with every change, so that an owner knows when to save.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>The account of a container.</summary>
    public Account Open(string container)
    {
        lock (_gate)
        {
            if (!_accounts.TryGetValue(container, out var account))
            {
                if (_accounts.Count >= MaxContainers)
                {
                    foreach (var old in _accounts.OrderBy(a => a.Value.LastUse).Take(MaxContainers / 8).Select(a => a.Key).ToList())
                    {
                        _accounts.Remove(old);
                    }
                }

                _accounts[container] = account = new Account(this);
                Changed();
            }

            account.LastUse = ++_now;
            return account;
        }
    }

    /// <summary>All that must survive the process.</summary>
    public LedgerRecord Save(string bootId)
    {
        lock (_gate)
        {
            return new LedgerRecord { BootId = bootId, Containers = _accounts.ToDictionary(a => a.Key, a => a.Value.Save(), StringComparer.Ordinal) };
        }
    }

    /// <summary>Takes up what an earlier process saved in this boot.</summary>
    public void Load(LedgerRecord record)
    {
        lock (_gate)
        {
            foreach (var (name, lines) in record.Containers.Take(MaxContainers))
            {
                _accounts[name] = new Account(this, lines);
            }
        }
    }

    /// <summary>
    /// Takes up what the node's own ledger has counted meanwhile, in the same boot: of a container that ended between two of our
    /// samples it may know more, of one that goes on we may.
    /// </summary>
    public void Merge(LedgerRecord record)
    {
        foreach (var (name, lines) in record.Containers.Take(MaxContainers))
        {
            Open(name).Merge(lines);
        }
    }

    private void Changed() => Interlocked.Increment(ref _version);

    /// <summary>The counters of one container.</summary>
    internal sealed class Account
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, Counter> _counters = new(StringComparer.Ordinal);
        private readonly List<string> _interfaces = [];

        private readonly CounterLedger _ledger;

        public Account(CounterLedger ledger) => _ledger = ledger;

        public Account(CounterLedger ledger, IReadOnlyList<LedgerLine> lines)
            : this(ledger)
        {
            foreach (var line in lines)
            {
                var counter = Find(line.Counter);
                if (line.Counter.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank)
                {
                    AddInterface(line.Counter[..blank]);
                }

                counter.Total = line.Total;
                foreach (var source in line.Sources.Take(MaxSources))
                {
                    counter.Sources[source.Path] = (source.Epoch, source.Last);
                }
            }
        }

        public long LastUse { get; set; }

        /// <summary>Adds what a source has counted since it was read last, and gives the sum of all sources ever.</summary>
        /// <param name="counter">The counter's name.</param>
        /// <param name="source">What it is read from: a group's path, an interface's name.</param>
        /// <param name="epoch">Changes when the source is another of the same name: the group's inode, the namespace's.</param>
        /// <param name="raw">What the source says.</param>
        public long Add(string counter, string source, ulong epoch, long raw)
        {
            lock (_gate)
            {
                var found = Find(counter);
                if (found.Sources.TryGetValue(source, out var last) && last.Epoch == epoch)
                {
                    // A reading that another one overtook is older than what is known.
                    if ((ulong)raw > (ulong)last.Raw)
                    {
                        found.Total += raw - last.Raw;
                        found.Sources[source] = (epoch, raw);
                        _ledger.Changed();
                    }
                }
                else
                {
                    found.Total += raw;
                    if (found.Sources.Count >= MaxSources && !found.Sources.ContainsKey(source))
                    {
                        found.Sources.Clear();
                    }

                    found.Sources[source] = (epoch, raw);
                    _ledger.Changed();
                }

                return found.Total;
            }
        }

        /// <summary>Counts how often something began: <paramref name="which"/> tells one time from the next, null asks for the sum only.</summary>
        public long Begin(string counter, string? which)
        {
            lock (_gate)
            {
                var found = Find(counter);
                if (which is not null && !found.Sources.ContainsKey(which))
                {
                    found.Sources.Clear();
                    found.Sources[which] = default;
                    found.Total++;
                    _ledger.Changed();
                }

                return found.Total;
            }
        }

        /// <summary>The names of the interfaces that were counted.</summary>
        public IReadOnlyList<string> Interfaces
        {
            get
            {
                lock (_gate)
                {
                    return [.. _interfaces];
                }
            }
        }

        /// <summary>Remembers an interface.</summary>
        public void AddInterface(string name)
        {
            lock (_gate)
            {
                if (_interfaces.Count < MaxSources && !_interfaces.Contains(name))
                {
                    _interfaces.Add(name);
                    _ledger.Changed();
                }
            }
        }

        /// <summary>The sum so far, or null when nothing was ever counted.</summary>
        public long? Total(string counter)
        {
            lock (_gate)
            {
                return _counters.TryGetValue(counter, out var found) ? found.Total : null;
            }
        }

        /// <summary>Goes on from the higher of two sums that were counted beside each other.</summary>
        public void Merge(IReadOnlyList<LedgerLine> lines)
        {
            lock (_gate)
            {
                foreach (var line in lines)
                {
                    var counter = Find(line.Counter);
                    if (line.Counter.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank)
                    {
                        AddInterface(line.Counter[..blank]);
                    }

                    // What of a source was counted here and not there yet comes on top of the other's sum.
                    var ahead = 0L;
                    var known = line.Sources.Take(MaxSources).GroupBy(s => s.Path, StringComparer.Ordinal).ToDictionary(s => s.Key, s => s.Last(), StringComparer.Ordinal);
                    foreach (var (path, (epoch, raw)) in counter.Sources)
                    {
                        ahead += !known.TryGetValue(path, out var other) ? 0 : other.Epoch == epoch ? Math.Max(0, raw - other.Last) : 0;
                    }

                    if (line.Total + ahead < counter.Total)
                    {
                        continue;
                    }

                    counter.Total = line.Total + ahead;
                    foreach (var (path, source) in known)
                    {
                        var isSame = counter.Sources.TryGetValue(path, out var own) && own.Epoch == source.Epoch;
                        counter.Sources[path] = (source.Epoch, isSame ? Math.Max(own.Raw, source.Last) : source.Last);
                    }
                }
            }
        }

        public IReadOnlyList<LedgerLine> Save()
        {
            lock (_gate)
            {
                return [.. _counters.Select(c => new LedgerLine
                {
                    Counter = c.Key,
                    Total = c.Value.Total,
                    Sources = [.. c.Value.Sources.Select(s => new LedgerSource { Path = s.Key, Epoch = s.Value.Epoch, Last = s.Value.Raw })],
                })];
            }
        }

        private Counter Find(string name) => _counters.TryGetValue(name, out var found) ? found : _counters[name] = new Counter();
    }

    private sealed class Counter
    {
        public long Total { get; set; }

        public Dictionary<string, (ulong Epoch, long Raw)> Sources { get; } = new(StringComparer.Ordinal);
    }
}
