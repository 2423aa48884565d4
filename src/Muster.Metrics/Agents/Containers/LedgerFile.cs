using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Linux;

namespace Muster.Metrics.Agents.Containers;

/// <summary>The saved form of a <see cref="CounterLedger"/>.</summary>
internal sealed record LedgerRecord
{
    public int Version { get; init; } = 1;

    /// <summary>Of which boot the sources are; the sums hold beyond it.</summary>
    public required string BootId { get; init; }

    public required IReadOnlyDictionary<string, IReadOnlyList<LedgerLine>> Containers { get; init; }
}

/// <summary>One counter of a container.</summary>
internal sealed record LedgerLine
{
    public required string Counter { get; init; }

    public long Total { get; init; }

    public IReadOnlyList<LedgerSource> Sources { get; init; } = [];
}

/// <summary>What a source said last.</summary>
internal sealed record LedgerSource
{
    public required string Path { get; init; }

    public ulong Epoch { get; init; }

    public long Last { get; init; }
}

/// <summary>Source-generated JSON of the ledger.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(LedgerRecord))]
internal sealed partial class LedgerJson : JsonSerializerContext;

/// <summary>The ledger's file: read at the start, written beside and renamed now and then.</summary>
internal sealed class LedgerFile(string path, TimeProvider time)
{
    /// <summary>A crash loses at most what was counted in this time by containers that are gone since.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // A file of ours for 4,096 containers is a few megabytes; one that is larger is not ours.
    private const long MaxBytes = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly string _bootId = ProcessControl.BootId();
    private DateTimeOffset _next;
    private long _saved;
    private DateTime _merged;

    /// <summary>Loads what is there; a file that cannot be read is as good as none, for it only keeps counters going.</summary>
    public void LoadInto(CounterLedger ledger)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: < MaxBytes } && Parse(File.ReadAllBytes(path)) is { } record)
            {
                // After a reboot every source counts from 0 again, whatever its inode.
                ledger.Load(record.BootId == _bootId ? record : Forget(record));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The same as none: it is the node's, and not for everybody who reads metrics by himself.
        }
    }

    /// <summary>Takes up what its owner has saved since the last time; nothing where nothing is new, or it cannot be read.</summary>
    public void MergeInto(CounterLedger ledger)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: < MaxBytes } file && file.LastWriteTimeUtc != _merged)
            {
                _merged = file.LastWriteTimeUtc;
                if (Parse(File.ReadAllBytes(path)) is { } record && record.BootId == _bootId)
                {
                    ledger.Merge(record);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
    }

    /// <summary>Saves when something has changed and the last time is a while ago, or <paramref name="now"/>.</summary>
    public void Save(CounterLedger ledger, bool now = false)
    {
        lock (_gate)
        {
            // What changes while it is written is written the next time.
            var version = ledger.Version;
            if (version == _saved || (!now && time.GetUtcNow() < _next))
            {
                return;
            }

            _next = time.GetUtcNow() + Interval;
            var bytes = JsonSerializer.SerializeToUtf8Bytes(ledger.Save(_bootId), LedgerJson.Default.LedgerRecord);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using (var file = new FileStream(path + ".new", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                file.Write(bytes);
            }

            File.Move(path + ".new", path, overwrite: true);
            _saved = version;
        }
    }

    /// <summary>The record that a text holds, or null when it holds none.</summary>
    internal static LedgerRecord? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, LedgerJson.Default.LedgerRecord) is { Version: 1 } record && IsWhole(record) ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // JSON may say null wherever there is to be something.
    private static bool IsWhole(LedgerRecord record) =>
        record is { BootId: not null, Containers: not null } && record.Containers.Values.All(lines => lines is not null && lines.All(l => l is { Counter: not null, Sources: not null } && l.Sources.All(s => s is { Path: not null })));

    private static LedgerRecord Forget(LedgerRecord record) => record with
    {
        Containers = record.Containers.ToDictionary(c => c.Key, c => (IReadOnlyList<LedgerLine>)[.. c.Value.Select(l => l with { Sources = [] })], StringComparer.Ordinal),
    };
}
