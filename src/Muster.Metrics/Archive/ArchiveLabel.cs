using System.Text;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Archive;

/// <summary>
/// The first record of each file of an archive: who wrote it, when it begins, and whose values it holds. Version 2 has 64
/// bytes for the host and 40 for the time zone, version 3 has 256 for each and for the zone's name.
/// </summary>
public sealed record ArchiveLabel(ArchiveVersion Version, int ProcessId, DateTimeOffset Start, string HostName, string TimeZone, string ZoneName)
{
    /// <summary>Bytes of the record, its length words included.</summary>
    internal static int Size(ArchiveVersion version) => version == ArchiveVersion.V3 ? 808 : 132;

    internal void Write(PduWriter to, int volume)
    {
        to.Reset();
        to.Int32(Size(Version));
        to.UInt32(ArchiveFormat.Magic | (uint)Version);
        to.Int32(ProcessId);
        ArchiveFormat.WriteTime(to, Version, Start);
        to.Int32(volume);
        if (Version == ArchiveVersion.V3)
        {
            to.UInt32(0);
            to.UInt32(0);
            Text(to, HostName, 256);
            Text(to, TimeZone, 256);
            Text(to, ZoneName, 256);
        }
        else
        {
            Text(to, HostName, 64);
            Text(to, TimeZone, 40);
        }

        to.Int32(Size(Version));
    }

    /// <summary>Reads a label record; null when it is none.</summary>
    internal static (ArchiveLabel Label, int Volume)? Read(ReadOnlySpan<byte> file)
    {
        var reader = new PduReader(file);
        var length = reader.Int32();
        var magic = reader.UInt32();
        var version = (ArchiveVersion)(magic & 0xff);
        if ((magic & 0xffffff00) != ArchiveFormat.Magic || version is not (ArchiveVersion.V2 or ArchiveVersion.V3) || length != Size(version) || file.Length < length)
        {
            return null;
        }

        var process = reader.Int32();
        var start = ArchiveFormat.ReadTime(ref reader, version);
        var volume = reader.Int32();
        var isNew = version == ArchiveVersion.V3;
        var features = isNew ? reader.UInt32() : 0;
        _ = isNew ? reader.UInt32() : 0;
        var host = PduReader.Decode(reader.Bytes(isNew ? 256 : 64));
        var zone = PduReader.Decode(reader.Bytes(isNew ? 256 : 40));
        var name = isNew ? PduReader.Decode(reader.Bytes(256)) : "";
        var end = reader.Int32();

        // A feature that is not known may change what the records mean.
        return reader.Failed || end != length || features != 0 ? null : (new ArchiveLabel(version, process, start, host, zone, name), volume);
    }

    private static void Text(PduWriter to, string text, int size)
    {
        Span<byte> field = stackalloc byte[size];
        field.Clear();
        var bytes = Encoding.UTF8.GetBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, size - 1)).CopyTo(field);
        to.Bytes(field);
    }
}
