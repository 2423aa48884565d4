using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.FileSystems;

/// <summary>
/// The mounted file systems on block devices, by device, and the tmpfs, by folder; in a container its own, the overlay of
/// its root among them. File systems that another program or machine answers for are left out: asking could wait for ever.
/// </summary>
internal sealed class MountSource(InstanceDomainId fileSystems, InstanceDomainId tmpfs) : Source(
    ContainerScope.RunningContainer,
    new SheetShape(fileSystems, Columns),
    new SheetShape(tmpfs, Columns),
    new SheetShape(InstanceDomainId.None, ["nfilesys"]))
{
    private static readonly string[] Columns = ["capacity", "used", "free", "avail", "maxfiles", "usedfiles", "freefiles", "mountdir", "full", "blocksize", "readonly"];

    /// <summary>Mounts of one namespace that are looked at: Linux's own limit is 100,000 (fs.mount-max), and each costs a call.</summary>
    private const int MaxMounts = 10_000;

    private const int BytesPerKibibyte = 1024;

    private readonly KernelFile _file = new("/proc/self/mounts", below: "mounts");
    private readonly InstanceNames _devices = new();
    private readonly InstanceNames _folders = new();

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read(context.Pid);
        if (text.Error != 0)
        {
            foreach (var sheet in sheets)
            {
                sheet.Fail(text.Error);
            }

            return;
        }

        var found = Parse(text.Bytes, context.Pid != 0);
        using var root = ProcessRoot.Open(context.Pid);
        foreach (var mount in found)
        {
            var sheet = sheets[mount.IsTmpfs ? 1 : 0];
            var instance = mount.IsTmpfs ? _folders.Find(mount.Folder) : _devices.Find(mount.Device);
            var row = sheet.AddRow(instance.Id, instance.Name);
            if (sheet.WantsAny)
            {
                Fill(sheet, row, root, mount.Folder);
            }
        }

        sheets[2].Set(sheets[2].AddRow(-1), 0, sheets[0].Rows);
    }

    /// <summary>What of a mount table is measured: each device once, where it is mounted first; tmpfs by folder, the last mount there.</summary>
    internal static IReadOnlyList<MeasuredMount> Parse(ReadOnlySpan<byte> mounts, bool inContainer)
    {
        var found = new List<MeasuredMount>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var lines = new TextLines(mounts);
        for (var i = 0; i < MaxMounts && lines.TryNext(out var line); i++)
        {
            var fields = new TextFields(line);
            if (!fields.TryNext(out var device) || !fields.TryNext(out var folder) || !fields.TryNext(out var type))
            {
                continue;
            }

            var isTmpfs = type.SequenceEqual("tmpfs"u8);
            var isBlock = device.StartsWith("/dev/"u8) && !type.StartsWith("fuse"u8);
            var isRoot = inContainer && folder.SequenceEqual("/"u8) && type.SequenceEqual("overlay"u8);
            if (!isTmpfs && !isBlock && !isRoot)
            {
                continue;
            }

            var mount = new MeasuredMount(isTmpfs, Mount.Unescape(device), Mount.Unescape(folder));
            if (seen.Add(isTmpfs ? "t" + mount.Folder : "d" + mount.Device))
            {
                found.Add(mount);
            }
        }

        return found;
    }

    private static void Fill(Sheet sheet, int row, ProcessRoot root, string folder)
    {
        sheet.Set(row, 7, folder);
        var descriptor = root.OpenPath(folder);
        if (descriptor < 0)
        {
            return;
        }

        if (FileCalls.TryGetSpace(descriptor, out var space))
        {
            var (used, usable) = (space.Blocks - space.Free, space.Blocks - space.Free + space.Available);
            sheet.Set(row, 0, Kibibytes(space.Blocks, space));
            sheet.Set(row, 1, Kibibytes(used, space));
            sheet.Set(row, 2, Kibibytes(space.Free, space));
            sheet.Set(row, 3, Kibibytes(space.Available, space));
            sheet.Set(row, 4, (long)space.Files);
            sheet.Set(row, 5, (long)(space.Files - space.FreeFiles));
            sheet.Set(row, 6, (long)space.FreeFiles);
            sheet.Set(row, 8, usable == 0 ? 0.0 : 100.0 * used / usable);
            sheet.Set(row, 9, space.BlockSize);
            sheet.Set(row, 10, space.IsReadOnly ? 1L : 0L);
        }

        _ = FileCalls.Close(descriptor);
    }

    private static long Kibibytes(ulong blocks, FileSystemSpace space) => (long)(blocks * (UInt128)space.BlockSize / BytesPerKibibyte);
}

/// <summary>A mount whose space is measured.</summary>
internal readonly record struct MeasuredMount(bool IsTmpfs, string Device, string Folder);
