using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Door;

/// <summary>
/// Sessions that were recorded between PCP's tools and pmcd, played to our door by an agent that knows what pmcd knew: the
/// answers are the same bytes.
/// </summary>
public sealed class ReplayTests
{
    [Theory]
    [InlineData("pminfo-f-load")]
    [InlineData("pminfo-dmtT")]
    [InlineData("pminfo-labels")]
    [InlineData("pminfo-string")]
    [InlineData("pminfo-tree")]
    [InlineData("pminfo-bad")]
    [InlineData("pmprobe")]
    [InlineData("pmval")]
    [InlineData("pmrep")]
    [InlineData("pmie")]
    [InlineData("pmlogger")]
    [InlineData("pmstore")]
    [InlineData("container")]
    [InlineData("container-bad")]
    public void Answers_byte_for_byte(string name)
    {
        var recorded = new RecordedSession(name);
        var time = new RecordedTime();
        var catalog = new MetricCatalog(recorded.Agents);
        catalog.Current.Conflicts.Should().BeEmpty();
        var door = new DoorState(catalog, time, _ => { });
        var sessions = new Dictionary<int, ClientSession>();
        var expected = recorded.Units.ToList();
        var compared = 0;
        for (var i = 0; i < expected.Count; i++)
        {
            var unit = expected[i];
            if (!unit.IsFromClient)
            {
                continue;
            }

            if (!sessions.TryGetValue(unit.Connection, out var session))
            {
                // Root, as in the recording of a store; what a client may is tested elsewhere.
                sessions[unit.Connection] = session = new ClientSession(door, "127.0.0.1", MetricView.Host);
            }

            var next = expected.Skip(i + 1).FirstOrDefault(u => u.Connection == unit.Connection && !u.IsFromClient);
            var isAnswered = unit.Type is not (PduType.Credentials or PduType.Attribute or PduType.Profile);
            time.Now = next?.Type == PduType.HighResolutionResult && isAnswered ? ReceivedResult.Read(next.Bytes, true)!.Time : time.Now;
            var answers = session.Ask(unit.Bytes);
            if (!isAnswered)
            {
                answers.Should().BeEmpty();
                continue;
            }

            Convert.ToHexStringLower(Normal(unit, answers.Should().ContainSingle().Subject)).Should().Be(Convert.ToHexStringLower(Normal(unit, next!.Bytes)), $"the answer to {unit.Type}, unit {i}");
            compared++;
        }

        compared.Should().BePositive();
        foreach (var session in sessions.Values)
        {
            session.Dispose();
        }
    }

    /// <summary>Takes away what differs on purpose: pmcd 6.0.3 swaps the bytes of a text's ident; its tree has an order of its own; the context's labels are the host's.</summary>
    private static byte[] Normal(RecordedUnit asked, byte[] unit)
    {
        var copy = (byte[])unit.Clone();
        switch (asked.Type)
        {
            case PduType.TextRequest when Units.TypeOf(unit) == PduType.Text:
                copy.AsSpan(12, 4).Clear();
                break;
            case PduType.Traverse or PduType.Children when Units.TypeOf(unit) == PduType.Names:
                return System.Text.Encoding.UTF8.GetBytes(string.Join('\n', NamesRequest.Read(unit.AsSpan(12))!.Order(StringComparer.Ordinal)));
            case PduType.LabelRequest when IdentRequest.Read(asked.Bytes.AsSpan(12))!.Value.Type == (uint)LabelKind.Context:
                return [];
            case PduType.HighResolutionFetch:
                // Our clock has a tenth of a microsecond.
                var nanoseconds = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(unit.AsSpan(28));
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(28), nanoseconds / 100 * 100);
                break;
            default:
                break;
        }

        return copy;
    }

    private sealed class RecordedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
