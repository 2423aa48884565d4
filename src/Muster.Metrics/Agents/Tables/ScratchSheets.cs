using System.Collections.Concurrent;

namespace Muster.Metrics.Agents.Tables;

/// <summary>Sheets that a source fills on the way to its own, of one width, kept so that a reading of many groups allocates none.</summary>
internal sealed class ScratchSheets(int columns)
{
    /// <summary>As many as are out at once: one for each client, and one for each step down a container's groups.</summary>
    private const int MaxKept = 16;

    private readonly ConcurrentBag<Sheet> _kept = [];

    /// <summary>An empty sheet; disposing the loan gives it back.</summary>
    public Loan Rent() => new(this, _kept.TryTake(out var sheet) ? sheet : new Sheet(columns));

    internal readonly ref struct Loan(ScratchSheets owner, Sheet sheet) : IDisposable
    {
        public Sheet Sheet => sheet;

        public void Dispose()
        {
            sheet.Clear();
            if (owner._kept.Count < MaxKept)
            {
                owner._kept.Add(sheet);
            }
        }
    }
}
