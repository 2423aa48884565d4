using System.Collections.Concurrent;
using System.Collections.Frozen;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>A source, and the metrics whose values come from it.</summary>
internal sealed record SourceTable(Source Source, IReadOnlyList<MetricLine> Lines)
{
    /// <summary>Those of the tables that have a wanted name; all for null.</summary>
    public static IReadOnlyList<SourceTable> For(IReadOnlyList<SourceTable> tables, Func<string, bool>? wanted) =>
        wanted is null ? tables : [.. tables.Where(t => t.Lines.Any(l => wanted(l.Metric.Name)))];
}

/// <summary>
/// An agent made of tables: a request marks the columns it needs, reads each source that has one, once, and takes the
/// values. Readings are rented from a pool, so that clients do not wait for each other and nothing is allocated.
/// </summary>
internal class TableAgent : IMetricAgent
{
    /// <summary>A reading of more cells, some 17 bytes each, is kept only until the next full collection.</summary>
    private const int MaxPooledCells = 64 * 1024;

    /// <summary>Readings kept for the next request; more clients at once than this allocate theirs anew.</summary>
    private const int MaxPooled = 8;

    private const int LargeRequest = 32;

    private readonly Source[] _sources;
    private readonly ContainerCatalog _containers;
    private readonly FrozenDictionary<MetricId, Place> _places;
    private readonly FrozenDictionary<InstanceDomainId, (int Source, int Sheet)> _owners;
    private readonly ConcurrentBag<Reading> _pool = [];
    private readonly WeakReference<Reading> _large = new(null!);

    public TableAgent(string name, int domain, IReadOnlyList<SourceTable> tables, IReadOnlyList<InstanceDomain> domains, ContainerCatalog containers)
    {
        Name = name;
        Domain = domain;
        _containers = containers;
        _sources = [.. tables.Select(t => t.Source)];
        var reading = new Reading(_sources);
        var places = new Dictionary<MetricId, Place>();
        var owners = new Dictionary<InstanceDomainId, (int, int)>();
        var metrics = new List<MetricDescriptor>();
        for (var i = 0; i < tables.Count; i++)
        {
            var probe = reading.Probe(i);
            foreach (var line in tables[i].Lines)
            {
                var (sheet, column) = Locate(_sources[i], line);
                if (_sources[i].Supports(probe[sheet], column))
                {
                    places.Add(line.Metric.Id, new Place(i, sheet, column));
                    metrics.Add(line.Metric);
                }
            }

            for (var sheet = 0; sheet < _sources[i].Shapes.Count; sheet++)
            {
                owners.TryAdd(_sources[i].Shapes[sheet].Domain, (i, sheet));
            }
        }

        Metrics = metrics;
        var used = metrics.Select(m => m.Instances).ToHashSet();
        InstanceDomains = [.. domains.Where(d => used.Contains(d.Id))];
        _places = places.ToFrozenDictionary();
        _owners = owners.Where(o => used.Contains(o.Key)).ToFrozenDictionary();
    }

    public string Name { get; }

    public int Domain { get; }

    public int Generation => 1;

    public IReadOnlyList<MetricDescriptor> Metrics { get; }

    public IReadOnlyList<InstanceDomain> InstanceDomains { get; }

    /// <inheritdoc/>
    public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view)
    {
        if (domain == InstanceDomainId.None || !_owners.TryGetValue(domain, out var owner))
        {
            return [];
        }

        var reading = Rent(isLarge: false);
        try
        {
            var sheet = reading.Sheets(owner.Source)[owner.Sheet];
            sheet.WantsNames = true;
            Read(reading, owner.Source, view);
            var found = new List<MetricInstance>(sheet.Rows);
            for (var row = 0; row < sheet.Rows; row++)
            {
                found.Add(new MetricInstance(sheet.Instance(row), sheet.Name(row) ?? ""));
            }

            found.Sort((a, b) => a.Id.CompareTo(b.Id));
            return found;
        }
        finally
        {
            Return(reading);
        }
    }

    /// <inheritdoc/>
    public string? GetInstanceName(InstanceDomainId domain, int instance) =>
        _owners.TryGetValue(domain, out var owner) ? _sources[owner.Source].NameOf(domain, instance) : null;

    /// <inheritdoc/>
    public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
    {
        // A few metrics rarely are many values; what a large request filled waits for the next large one.
        var reading = Rent(asked.Length >= LargeRequest);
        try
        {
            foreach (var metric in asked)
            {
                if (_places.TryGetValue(metric.Id, out var place))
                {
                    reading.Sheets(place.Source)[place.Sheet].Want(place.Column);
                }
            }

            ReadTouched(reading, view);

            for (var i = 0; i < asked.Length; i++)
            {
                if (_places.TryGetValue(asked[i].Id, out var place))
                {
                    Take(reading.Sheets(place.Source)[place.Sheet], place.Column, values[i]);
                }
                else
                {
                    values[i].Fail(PcpError.MetricId);
                }
            }
        }
        finally
        {
            Return(reading);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view)
    {
        if (target.Kind == LabelKind.Domain)
        {
            return [new("agent", Name)];
        }

        var domain = new InstanceDomainId(target.Number);
        return target.Kind is LabelKind.InstanceDomain or LabelKind.Instance && _owners.TryGetValue(domain, out var owner)
            ? _sources[owner.Source].Labels(domain, target.Kind == LabelKind.Instance ? target.Instance : -1)
            : [];
    }

    /// <inheritdoc/>
    public bool IsClientsOwn(MetricDescriptor metric) => Single(metric) is { } place && _sources[place.Source].IsClientsOwn(place.Column);

    /// <inheritdoc/>
    public int Store(MetricDescriptor metric, int instance, MetricValue value, MetricView view) =>
        Single(metric) is { } place ? _sources[place.Source].Store(place.Column, value, view) : PcpError.Permission;

    private Place? Single(MetricDescriptor metric) => metric.Instances == InstanceDomainId.None && _places.TryGetValue(metric.Id, out var place) ? place : null;

    // The long ones are shared out between processors; each fills sheets of its own.
    private void ReadTouched(Reading reading, MetricView view)
    {
        var taken = reading.LongOnes;
        foreach (var source in reading.Touched)
        {
            if (_sources[source].IsLong)
            {
                taken.Add(source);
            }
            else
            {
                Read(reading, source, view);
            }
        }

        SharedWork.Run(taken.Count, i => Read(reading, taken[i], view));
    }

    private static void Take(Sheet sheet, int column, ValueSet values)
    {
        if (sheet.Error != 0)
        {
            values.Fail(sheet.Error);
            return;
        }

        var all = sheet.Selection.IsEverything;
        for (var row = 0; row < sheet.Rows; row++)
        {
            if (sheet.Has(row, column) && (all || sheet.Selection.Wants(sheet.Instance(row))))
            {
                values.Add(sheet.Instance(row), sheet.Value(row, column));
            }
        }
    }

    private static (int Sheet, int Column) Locate(Source source, MetricLine line)
    {
        for (var sheet = 0; sheet < source.Shapes.Count; sheet++)
        {
            var shape = source.Shapes[sheet];
            var column = shape.Domain == line.Metric.Instances ? shape.Columns.ToList().IndexOf(line.Column) : -1;
            if (column >= 0)
            {
                return (sheet, column);
            }
        }

        throw new FormatException($"{source.GetType().Name} has no column {line.Column} for {line.Metric.Name}");
    }

    private void Read(Reading reading, int index, MetricView view)
    {
        var source = _sources[index];
        var sheets = reading.Sheets(index);
        for (var i = 0; i < sheets.Length; i++)
        {
            // One value without instances is wanted whatever the profile says.
            sheets[i].Selection = source.Shapes[i].Domain == InstanceDomainId.None || !sheets[i].WantsAny ? InstanceSelection.Everything : view.Profile.For(source.Shapes[i].Domain);
        }

        ContainerDescription? container = null;
        if (source.Scope != ContainerScope.Host && view.Container is { } name)
        {
            container = _containers.Find(name);
            if (container is null)
            {
                Fail(sheets, PcpError.NoContainer);
                return;
            }

            if (source.Scope == ContainerScope.RunningContainer && container.InitPid <= 0)
            {
                Fail(sheets, PcpError.Value);
                return;
            }
        }

        try
        {
            source.Read(new ReadContext(view, container), sheets);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Linux.LinuxException)
        {
            Fail(sheets, PcpError.Again);
        }
    }

    private static void Fail(ReadOnlySpan<Sheet> sheets, int error)
    {
        foreach (var sheet in sheets)
        {
            sheet.Fail(error);
        }
    }

    private Reading Rent(bool isLarge)
    {
        if (isLarge)
        {
            lock (_large)
            {
                if (_large.TryGetTarget(out var large))
                {
                    _large.SetTarget(null!);
                    return large;
                }
            }
        }

        return _pool.TryTake(out var reading) ? reading : new Reading(_sources);
    }

    private void Return(Reading reading)
    {
        reading.Clear();
        if (reading.Cells > MaxPooledCells)
        {
            lock (_large)
            {
                _large.SetTarget(reading);
            }
        }
        else if (_pool.Count < MaxPooled)
        {
            _pool.Add(reading);
        }
    }

    /// <summary>Where a metric's values are: source, sheet of the source, column of the sheet.</summary>
    private readonly record struct Place(int Source, int Sheet, int Column);

    /// <summary>The sheets of one request.</summary>
    private sealed class Reading(Source[] sources)
    {
        private readonly Sheet[]?[] _sheets = new Sheet[]?[sources.Length];
        private readonly bool[] _isTouched = new bool[sources.Length];
        private readonly List<int> _touched = [];

        public List<int> Touched => _touched;

        /// <summary>Those of them that take long, once they are being read.</summary>
        public List<int> LongOnes { get; } = [];

        public Sheet[] Sheets(int source)
        {
            if (!_isTouched[source])
            {
                _isTouched[source] = true;
                _touched.Add(source);
            }

            return _sheets[source] ??= [.. sources[source].Shapes.Select(s => new Sheet(s.Columns.Count))];
        }

        public Sheet[] Probe(int source)
        {
            var sheets = Sheets(source);
            foreach (var sheet in sheets)
            {
                sheet.WantAll();
                sheet.Selection = sources[source].ProbeSelection;
            }

            sources[source].Read(new ReadContext(MetricView.Host, null), sheets);
            return sheets;
        }

        /// <summary>The room of all sheets.</summary>
        public int Cells { get; private set; }

        public void Clear()
        {
            foreach (var source in _touched)
            {
                _isTouched[source] = false;
                foreach (var sheet in _sheets[source]!)
                {
                    Cells -= sheet.CountedCells;
                    Cells += sheet.CountedCells = sheet.Capacity;
                    sheet.Clear();
                }
            }

            _touched.Clear();
            LongOnes.Clear();
        }
    }
}
