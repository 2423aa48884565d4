using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>One scrape: chosen metrics, collected once, as text for Prometheus and its kin.</summary>
public static class MetricScrape
{
    /// <summary>Beginnings of names in one request; a scraper's address line holds no more anyway.</summary>
    public const int MaxNames = 1000;

    /// <summary>Values that wait for slow readers, all together: some 128 MB of them.</summary>
    public const int MaxPending = 4 * 1024 * 1024;

    /// <summary>Bytes that are handed over at once. Whatever is asked, the text of no more than this is in memory.</summary>
    private const int PieceLength = 64 * 1024;

    // Collecting is work for the processors; more at once only makes each of them later.
    private static readonly SemaphoreSlim Making = new(2);

    private static int _pending;

    // Per-process values are many and short-lived: who wants them in a time series database says so.
    private const string LeftOut = "proc.";

    /// <summary>The content type of a format.</summary>
    public static string ContentType(ExpositionFormat format) => format == ExpositionFormat.OpenMetrics
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The format that an Accept header prefers; Prometheus' own where it does not say.</summary>
    public static ExpositionFormat Negotiate(string? accept)
    {
        var (open, plain) = (0d, 0d);
        foreach (var range in (accept ?? "").Split(','))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            var quality = parts.FirstOrDefault(p => p.StartsWith("q=", StringComparison.OrdinalIgnoreCase)) is { } q
                && double.TryParse(q.AsSpan(2), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 1;
            switch (parts[0].ToLowerInvariant())
            {
                case "application/openmetrics-text" when !parts.Any(p => p.StartsWith("version=", StringComparison.OrdinalIgnoreCase) && p != "version=1.0.0"):
                    open = Math.Max(open, quality);
                    break;
                case "text/plain" or "*/*" or "text/*":
                    plain = Math.Max(plain, quality);
                    break;
                default:
                    break;
            }
        }

        return open > 0 && open >= plain ? ExpositionFormat.OpenMetrics : ExpositionFormat.Prometheus;
    }

    /// <summary>
    /// Writes the metrics whose names begin with one of <paramref name="names"/> (whole parts: <c>mem</c> is <c>mem.util.free</c>
    /// but not <c>memory.x</c>); all but per-process ones when there is none. All values are of one moment; the text is made
    /// while it is sent. An unknown name is a <see cref="ErrorKind.NotFound"/>, too many values that wait for slow readers an
    /// <see cref="ErrorKind.Exhausted"/>, both before anything is sent.
    /// </summary>
    /// <param name="send">Takes a piece of the text, and whether it is the last one; the piece is its own only until it returns.</param>
    public static async Task WriteAsync(DoorState door, IReadOnlyCollection<string> names, MetricView view, ExpositionFormat format, Func<ReadOnlyMemory<byte>, bool, Task> send, CancellationToken ct)
    {
        ScrapeText text;
        await Making.WaitAsync(ct);
        try
        {
            text = new ScrapeText(door, names, view, format);
        }
        finally
        {
            // Before it is sent: a reader that takes its time keeps nobody else waiting.
            Making.Release();
        }

        using (text)
        {
            try
            {
                if (Interlocked.Add(ref _pending, text.Values) > MaxPending)
                {
                    throw new MusterException(ErrorKind.Exhausted, $"More than {MaxPending} values of metrics wait for slow readers: ask again later");
                }

                using var piece = new TextBuffer();
                for (var more = true; more;)
                {
                    piece.Clear();
                    more = text.Write(piece, PieceLength);
                    await send(piece.Written, !more);
                }
            }
            finally
            {
                Interlocked.Add(ref _pending, -text.Values);
            }
        }
    }

    /// <summary>The metrics of some beginnings of names, each once.</summary>
    internal static IReadOnlyList<CatalogMetric> Choose(MetricNames catalog, IReadOnlyCollection<string> names)
    {
        if (names.Count > MaxNames)
        {
            throw new MusterException(ErrorKind.Invalid, $"{names.Count} names are asked for at once, more than {MaxNames}: ask for the beginnings of names");
        }

        if (names.Count == 0)
        {
            return [.. catalog.All.Where(m => !m.Name.StartsWith(LeftOut, StringComparison.Ordinal)).Select(m => m.Metric).Distinct()];
        }

        return [.. names.SelectMany(n => catalog.Node(n)?.Leaves() ?? throw new MusterException(ErrorKind.NotFound, $"There is no metric {n}, and none whose name begins so")).Select(m => m.Metric).Distinct()];
    }
}
