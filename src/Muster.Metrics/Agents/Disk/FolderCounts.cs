using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Disk;

/// <summary>A kind of hardware: its folder in /sys has an entry for each piece, and other entries that do not count.</summary>
internal sealed record CountedFolder(string Column, string Path, Func<string, bool> Counts);

/// <summary>How many pieces of hardware there are of some kinds; none where the kernel has no driver for them.</summary>
internal sealed class FolderCounts() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, [.. Folders.Select(f => f.Column)]))
{
    public const string Table = """
        hinv.nfchost 91.16 - u32 discrete none = | Fibre Channel adapters
        hinv.ntape   71.16  - u32 discrete none = | SCSI tape drives
        """;

    /// <summary>Entries that are looked at: more than a machine has slots for.</summary>
    private const int MaxEntries = 4096;

    // A tape drive has an entry for each way of writing and rewinding, too: st0, st0a, nst0, …
    private static readonly CountedFolder[] Folders =
    [
        new("nfchost", "/sys/class/fc_host", _ => true),
        new("ntape", "/sys/class/scsi_tape", name => name.Length > 2 && name.StartsWith("st", StringComparison.Ordinal) && name.AsSpan(2).ContainsAnyExceptInRange('0', '9') is false),
    ];

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var row = sheets[0].AddRow(-1);
        for (var i = 0; i < Folders.Length; i++)
        {
            if (sheets[0].Wants(i))
            {
                var folder = new DirectoryInfo(Folders[i].Path);
                sheets[0].Set(row, i, folder.Exists ? folder.EnumerateFileSystemInfos().Take(MaxEntries).Count(e => Folders[i].Counts(e.Name)) : 0L);
            }
        }
    }
}
