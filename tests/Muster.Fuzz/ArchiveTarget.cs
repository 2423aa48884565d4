using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Wire;

namespace Muster.Fuzz;

/// <summary>Any bytes as metadata, a volume's records and an index of an archive: read, or refused in one sentence.</summary>
public static class ArchiveTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } = [Label(ArchiveVersion.V3, -1, Meta), Label(ArchiveVersion.V2, -1, Meta), Label(ArchiveVersion.V3, -2, Index), Record(ArchiveVersion.V3), Record(ArchiveVersion.V2)];

    // Descriptor 60.2.0 "a.b", full instances and a change of them, a text, labels.
    private const string Meta =
        "0000002f000000010f00080000000005" + "0f0000020000000300000000" + "0000000100000003612e62" + "0000002f"
        + "00000034" + "00000005" + "000000010000000000000000" + "0f00000200000002" + "0000000100000002" + "0000000000000002" + "61006200" + "00000034"
        + "00000028" + "00000006" + "000000020000000000000000" + "0f00000200000001" + "00000001" + "ffffffff" + "00000028"
        + "00000016" + "00000004000000050f000800" + "6100" + "00000016";

    private const string Index = "000000010000000000000000" + "00000000" + "0000000000000328" + "0000000000000328";

    public static void Run(ReadOnlySpan<byte> data)
    {
        _ = ArchiveIndex.Read(data);
        try
        {
            var metadata = ArchiveMetadata.Read(new MemoryStream(data.ToArray()), "input");
            foreach (var domain in metadata.Domains)
            {
                _ = metadata.Instances(domain);
            }
        }
        catch (MusterException)
        {
            // Refused.
        }

        if (data.Length >= ArchiveFormat.Frame)
        {
            _ = ArchiveSample.Read(data, ArchiveVersion.V3);
            _ = ArchiveSample.Read(data, ArchiveVersion.V2);
        }
    }

    private static byte[] Label(ArchiveVersion version, int volume, string rest)
    {
        using var writer = new PduWriter();
        new ArchiveLabel(version, 1, DateTimeOffset.UnixEpoch, "h", "UTC", "").Write(writer, volume);
        return [.. writer.Written.Span, .. Convert.FromHexString(rest)];
    }

    // One metric in place, one with a block.
    private static byte[] Record(ArchiveVersion version) => Convert.FromHexString(version == ArchiveVersion.V3
        ? "00000050" + "000000010000000000000000" + "00000002" + "0f000800000000010000000000000001" + "00000007" + "0f000801" + "00000001" + "00000001" + "ffffffff" + "00000011" + "0300000c" + "0000000000000009" + "00000050"
        : "0000004c" + "0000000100000000" + "00000002" + "0f000800000000010000000000000001" + "00000007" + "0f000801" + "00000001" + "00000001" + "ffffffff" + "00000010" + "0300000c" + "0000000000000009" + "0000004c");
}
