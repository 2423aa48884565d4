using System.Buffers.Binary;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>/run/utmp (utmp(5)): who is logged in. Without that file nobody is.</summary>
internal sealed class SessionSource() : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, ["nusers", "nroots", "nsessions"]))
{
    private const int RecordLength = 384;
    private const int UserOffset = 44;
    private const int UserLength = 32;
    private const short UserProcess = 7;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = KernelText.ReadFile("/run/utmp");
        Parse(text.Bytes, sheets[0]);
    }

    internal static void Parse(ReadOnlySpan<byte> records, Sheet sheet)
    {
        var (sessions, roots) = (0L, 0L);
        var users = new HashSet<string>(StringComparer.Ordinal);
        for (; records.Length >= RecordLength; records = records[RecordLength..])
        {
            if (BinaryPrimitives.ReadInt16LittleEndian(records) != UserProcess)
            {
                continue;
            }

            var user = records.Slice(UserOffset, UserLength);
            var end = user.IndexOf((byte)0);
            user = end < 0 ? user : user[..end];
            sessions++;
            roots += user.SequenceEqual("root"u8) ? 1 : 0;
            users.Add(System.Text.Encoding.UTF8.GetString(user));
        }

        var row = sheet.AddRow(-1);
        sheet.Set(row, 0, users.Count);
        sheet.Set(row, 1, roots);
        sheet.Set(row, 2, sessions);
    }
}
