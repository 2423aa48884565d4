using System.Text;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Disk;

/// <summary>What a line of diskstats is about.</summary>
internal enum DeviceKind
{
    /// <summary>Loop and RAM devices, optical and floppy drives.</summary>
    Other,

    /// <summary>A device of the zram driver, which keeps its blocks compressed in memory.</summary>
    Compressed,
    Disk,
    Partition,

    /// <summary>A device of the device mapper (LVM, encryption, multipath), which stands on disks.</summary>
    Mapped,

    /// <summary>An array of disks of the md driver.</summary>
    Multiple,
}

/// <summary>What /sys/block says of block devices.</summary>
/// <param name="root">The folder that /sys and /dev are in; empty for the host's own.</param>
internal sealed class DiskDevices(string root)
{
    // Documentation/admin-guide/devices.txt
    private const int Ram = 1;
    private const int Floppy = 2;
    private const int Loop = 7;
    private const int MultipleDevices = 9;
    private const int Optical = 11;

    /// <summary>Links of /dev/md that are looked at: md has 512 devices at most by their minor numbers' names, each with two links.</summary>
    private const int MaxLinks = 2048;

    // Kinds of identification as SCSI's page 83h numbers them (SPC-4, 7.8.6.2), which udev and PCP put before the rest of it.
    private static readonly (string Kind, char Number)[] Identifications = [("t10.", '1'), ("eui.", '2'), ("naa.", '3')];

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], DeviceKind> _kinds = new(ByteNames.Comparer);

    /// <summary>What a device is, asked of /sys once for each name.</summary>
    public DeviceKind Kind(ReadOnlySpan<byte> name, long major)
    {
        if (major is Ram or Floppy or Loop or Optical)
        {
            return DeviceKind.Other;
        }

        if (name.StartsWith("zram"u8))
        {
            return DeviceKind.Compressed;
        }

        if (major == MultipleDevices || name.StartsWith("dm-"u8))
        {
            return major == MultipleDevices ? DeviceKind.Multiple : DeviceKind.Mapped;
        }

        lock (_gate)
        {
            var lookup = _kinds.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!lookup.TryGetValue(name, out var kind))
            {
                // Names of devices that went away are forgotten all at once; a machine has far fewer disks.
                if (_kinds.Count >= InstanceNames.MaxNames)
                {
                    _kinds.Clear();
                }

                kind = File.Exists($"{root}/sys/class/block/{Encoding.UTF8.GetString(name)}/partition") ? DeviceKind.Partition : DeviceKind.Disk;
                lookup[name] = kind;
            }

            return kind;
        }
    }

    /// <summary>The name that a mapped device (<c>dm-0</c>) or an array (<c>md127</c>) was given; the kernel's where it was given none.</summary>
    public string OwnName(string device, bool isMapped) => isMapped && ReadLine(device, "dm/name") is { Length: > 0 } name ? Instance(name) : isMapped ? device : LinkName(device);

    /// <summary>A disk's worldwide identification as udev writes it, <c>35000c500a1b2c3d4</c>; empty for a disk without one.</summary>
    public string WorldWideName(string device)
    {
        var name = ReadLine(device, "device/wwid") is { Length: > 0 } ofScsi ? ofScsi : ReadLine(device, "wwid");
        foreach (var (kind, number) in Identifications)
        {
            if (name.StartsWith(kind, StringComparison.Ordinal))
            {
                name = number + name[kind.Length..];
                break;
            }
        }

        return Instance(name);
    }

    public long? Sectors(string device)
    {
        using var text = Read(device, "size");
        return new TextFields(text.Bytes.TrimEnd((byte)'\n')).TryNumber(out var sectors) ? sectors : null;
    }

    /// <summary>The text of a file of the device, which the caller lets go of; without bytes where there is none.</summary>
    public KernelText Read(string device, string file) => KernelText.ReadFile($"{root}/sys/class/block/{device}/{file}");

    public string Scheduler(string device)
    {
        using var text = Read(device, "queue/scheduler");
        return CurrentScheduler(text.Bytes);
    }

    /// <summary>An array's state as <c>mdadm --detail --test</c> would exit with (mdadm(8)): 0 well, 1 degraded, 2 not usable, 4 unknown.</summary>
    public long ArrayStatus(string device)
    {
        using var degraded = Read(device, "md/degraded");
        return ReadLine(device, "md/array_state") switch
        {
            "" => 4,
            "clear" or "inactive" or "broken" => 2,
            _ => new TextFields(degraded.Bytes.TrimEnd((byte)'\n')).TryNumber(out var missing) && missing > 0 ? 1 : 0,
        };
    }

    /// <summary>The one in brackets of <c>none [mq-deadline] kyber</c>.</summary>
    internal static string CurrentScheduler(ReadOnlySpan<byte> text)
    {
        var open = text.IndexOf((byte)'[');
        var close = text.IndexOf((byte)']');
        return open >= 0 && close > open ? Encoding.UTF8.GetString(text[(open + 1)..close]) : "unknown";
    }

    /// <summary>A name without blanks, of which one run becomes one line below, as udev does it: tools match instances up to a blank.</summary>
    internal static string Instance(string name) => name.AsSpan().ContainsAny(' ', '\t') ? string.Join('_', name.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)) : name;

    // udev makes a link for an array's name in /dev/md.
    private string LinkName(string device)
    {
        try
        {
            foreach (var link in new DirectoryInfo(root + "/dev/md").EnumerateFileSystemInfos().Take(MaxLinks))
            {
                if (link.LinkTarget is { } target && Path.GetFileName(target) == device && ReferencesDevice(target))
                {
                    return Instance(link.Name);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No array has a name.
        }

        return device;
    }

    private static bool ReferencesDevice(string target) => Path.GetDirectoryName(target) is ".." or "/dev";

    private string ReadLine(string device, string file)
    {
        using var text = Read(device, file);
        return Encoding.UTF8.GetString(text.Bytes.TrimEnd(" \n"u8));
    }
}
