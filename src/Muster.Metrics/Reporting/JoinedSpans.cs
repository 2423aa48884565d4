namespace Muster.Metrics.Reporting;

/// <summary>A value that held for some time, or a counter's rate over that time; or the mean of several that lay side by side.</summary>
/// <param name="Ticks">When it was recorded: of a rate its end, of other values their beginning.</param>
/// <param name="Value">The value, the mean of joined ones over their time.</param>
/// <param name="Span">For how long it stands, in ticks: what it weighs; 0 where that is not known.</param>
internal readonly record struct SpanPoint(long Ticks, double Value, long Span)
{
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);

    /// <summary>The highest of those that were joined.</summary>
    public double High { get; init; } = Value;

    /// <summary>In another unit, above another zero; the factor is positive.</summary>
    public SpanPoint Scaled(double factor, double offset = 0) => this with { Value = (Value * factor) + offset, High = (High * factor) + offset };
}

/// <summary>
/// The stretches of time in which values are joined, on a grid, so that series that began at different times are joined at the same
/// ones; longer as soon as there are more than fit into memory.
/// </summary>
internal sealed class UseGrid(TimeSpan stretch, int maxSpans)
{
    private readonly List<JoinedSpans> _all = [];
    private int _spans;

    /// <summary>In ticks; zero joins nothing.</summary>
    public long Stretch { get; private set; } = stretch.Ticks;

    public JoinedSpans New(bool isByEnd)
    {
        var spans = new JoinedSpans(this, isByEnd);
        _all.Add(spans);
        return spans;
    }

    public void Count()
    {
        if (++_spans <= maxSpans)
        {
            return;
        }

        // What gaps keep apart cannot be joined: each time it takes at least a quarter more to get here again.
        Stretch = Math.Max(Stretch * 2, TimeSpan.TicksPerSecond);
        _all.ForEach(s => s.Rejoin());
        _spans = Math.Min(_all.Sum(s => s.Count), maxSpans - (maxSpans / 4));
    }
}

/// <summary>Spans in order, joined where they lie side by side in one stretch of a grid of time.</summary>
internal sealed class JoinedSpans(UseGrid? grid, bool isByEnd)
{
    private readonly List<SpanPoint> _spans = [];
    private bool _isCopy;

    public int Count => _spans.Count;

    public List<SpanPoint> ToList() => [.. _spans];

    /// <summary>The same, to be added to without being counted.</summary>
    public JoinedSpans Copy()
    {
        var copy = new JoinedSpans(grid, isByEnd) { _isCopy = true };
        copy._spans.AddRange(_spans);
        return copy;
    }

    public void Add(SpanPoint span, bool isApart = false)
    {
        if (!isApart && _spans.Count > 0 && Joined(_spans[^1], span) is { } joined)
        {
            _spans[^1] = joined;
            return;
        }

        _spans.Add(span);
        if (!_isCopy)
        {
            grid?.Count();
        }
    }

    /// <summary>Joins what lies in one of the stretches that have become longer.</summary>
    public void Rejoin()
    {
        var kept = 0;
        for (var i = 1; i < _spans.Count; i++)
        {
            if (Joined(_spans[kept], _spans[i]) is { } joined)
            {
                _spans[kept] = joined;
            }
            else
            {
                _spans[++kept] = _spans[i];
            }
        }

        _spans.RemoveRange(Math.Min(kept + 1, _spans.Count), Math.Max(0, _spans.Count - kept - 1));
        _spans.TrimExcess();
    }

    private SpanPoint? Joined(SpanPoint last, SpanPoint next)
    {
        var areBeside = isByEnd ? next.Ticks - next.Span == last.Ticks : last.Ticks + last.Span == next.Ticks;
        if (grid is not { Stretch: > 0 and var stretch } || last.Ticks / stretch != next.Ticks / stretch || last.Span == 0 || next.Span == 0 || !areBeside)
        {
            return null;
        }

        var all = last.Span + next.Span;
        return new SpanPoint(isByEnd ? next.Ticks : last.Ticks, ((last.Value * last.Span) + (next.Value * next.Span)) / all, all) { High = Math.Max(last.High, next.High) };
    }
}
