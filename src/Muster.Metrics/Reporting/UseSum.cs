namespace Muster.Metrics.Reporting;

/// <summary>
/// Several counters together. What was recorded at the same times is added before it is joined, so that the highest of the sum is
/// known; as soon as one was recorded at other times than the rest, the sum is made of what each has joined.
/// </summary>
internal sealed class UseSum(UseGrid grid)
{
    private readonly JoinedSpans _spans = grid.New(isByEnd: true);
    private SpanPoint _current;
    private bool _isMixed;

    public void Add(SpanPoint rate)
    {
        if (_current.Span > 0 && rate.Ticks == _current.Ticks && rate.Span == _current.Span)
        {
            _current = new SpanPoint(rate.Ticks, _current.Value + rate.Value, rate.Span);
            return;
        }

        // What is not recorded beside the rest overlaps with it.
        _isMixed |= _current.Span > 0 && rate.Ticks - rate.Span < _current.Ticks;
        Flush();
        _current = rate;
    }

    /// <summary>What all of some counters, each of which added to this, are together, in order of time.</summary>
    public IReadOnlyList<SpanPoint> Of(IEnumerable<UseSeries> members)
    {
        if (_isMixed)
        {
            return Overlaid(members);
        }

        Flush();
        _current = default;
        return _spans.ToList();
    }

    private void Flush()
    {
        if (_current.Span > 0)
        {
            _spans.Add(_current);
        }
    }

    /// <summary>Between any two times at which one of some counters changes, what all are together.</summary>
    public static IReadOnlyList<SpanPoint> Overlaid(IEnumerable<UseSeries> members)
    {
        var edges = new List<(long Ticks, double Change, int Count)>();
        foreach (var rate in members.SelectMany(s => s.Spans()))
        {
            edges.Add((rate.Ticks - rate.Span, rate.Value, 1));
            edges.Add((rate.Ticks, -rate.Value, -1));
        }

        edges.Sort((a, b) => a.Ticks.CompareTo(b.Ticks));
        var sums = new List<SpanPoint>();
        var (sum, count, before) = (0.0, 0, 0L);
        foreach (var (ticks, change, step) in edges)
        {
            if (count > 0 && ticks > before)
            {
                sums.Add(new SpanPoint(ticks, Math.Max(0, sum), ticks - before));
            }

            (count, before) = (count + step, ticks);

            // What adding and taking away has left of nothing is nothing.
            sum = count == 0 ? 0 : sum + change;
        }

        return sums;
    }
}
