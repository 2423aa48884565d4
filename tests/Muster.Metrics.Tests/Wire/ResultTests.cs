using CsCheck;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Wire;

public sealed class ResultTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_795_364_342).AddTicks(1_467_639);

    private static readonly Gen<MetricType> Types = Gen.Int[0, 9].Select(i => new[] { MetricType.Int32, MetricType.UInt32, MetricType.Int64, MetricType.UInt64, MetricType.Float, MetricType.Double, MetricType.String, MetricType.Aggregate, MetricType.Event, MetricType.HighResolutionEvent }[i]);

    private static Gen<MetricValue> Value(MetricType type, int depth = 1) => type switch
    {
        MetricType.Int32 => Gen.Int.Select(i => MetricValue.From((long)i)),
        MetricType.UInt32 => Gen.UInt.Select(i => MetricValue.From((ulong)i)),
        MetricType.Int64 => Gen.Long.Select(MetricValue.From),
        MetricType.UInt64 => Gen.ULong.Select(MetricValue.From),
        MetricType.Float => Gen.Float.Select(f => MetricValue.From((double)f)),
        MetricType.Double => Gen.Double.Select(MetricValue.From),
        MetricType.String => Gen.String[Gen.Char['\x01', '\u2fff'], 0, 30].Select(MetricValue.From),
        MetricType.Aggregate => Gen.Byte.Array[0, 20].Select(MetricValue.From),
        _ => Events(type == MetricType.HighResolutionEvent, depth).Select(e => MetricValue.From(e)),
    };

    private static Gen<MetricEvent[]> Events(bool highResolution, int depth) =>
        Gen.Select(Gen.Long[0, 4_000_000_000], Gen.Int[0, 999_999], Gen.Bool, Parameter(depth).Array[0, 3], Gen.Int[0, 1000]).Select((seconds, micro, missed, parameters, count) =>
            new MetricEvent(DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks((micro * 10) + (highResolution ? 7 : 0)), missed ? 0x80000000 : 1, missed ? [] : parameters, missed ? count : 0)).Array[0, 3];

    private static Gen<MetricEventParameter> Parameter(int depth) => (depth > 0 ? Types : Gen.Const(MetricType.Int32))
        .SelectMany(t => Value(t, depth - 1).Select(v => new MetricEventParameter(MetricId.Of(60, 1, 1), t, v)));

    private static Gen<ResultSet> Set { get; } = Gen.Select(Gen.UInt, Types, Gen.Int[0, 3], Gen.Int[-20000, 0]).SelectMany((id, type, count, error) => Value(type).Array[count].Select(values =>
    {
        var set = new ValueSet();
        if (error < -10000)
        {
            set.Fail(error);
        }
        else
        {
            for (var i = 0; i < values.Length; i++)
            {
                set.Add(values.Length == 1 ? -1 : i, values[i]);
            }
        }

        return new ResultSet(new MetricId(id), type, set, InstanceSelection.Everything);
    }));

    [Fact]
    public void Reads_back_every_result_that_it_writes() => Gen.Select(Set.Array[0, 6], Gen.Bool).Sample((sets, highResolution) =>
    {
        using var writer = new PduWriter();
        ResultWriter.TryWrite(writer, highResolution, Time, sets).Should().BeTrue();
        var unit = writer.Written.Span;
        (unit.Length % 4).Should().Be(0);
        System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(unit).Should().Be(unit.Length);
        var result = ReceivedResult.Read(unit, highResolution);
        result.Should().NotBeNull();
        result!.Time.Should().Be(highResolution ? Time : Time.AddTicks(-(Time.Ticks % 10)));
        result.Sets.Should().HaveCount(sets.Length);
        for (var i = 0; i < sets.Length; i++)
        {
            result.Sets[i].Id.Should().Be(sets[i].Id);
            result.Sets[i].Error.Should().Be(sets[i].Values.Error);
            result.Sets[i].Values.Should().HaveCount(sets[i].Values.Values.Length);
            for (var v = 0; v < result.Sets[i].Values.Count; v++)
            {
                var (sent, received) = (sets[i].Values.Values[v], result.Sets[i].Values[v]);
                received.Instance.Should().Be(sent.Instance);
                (received.Type ?? sets[i].Type).Should().Be(sets[i].Type);
                Describe(sets[i].Type, received.Value).Should().Be(Describe(sets[i].Type, sent.Value));
            }
        }
    }, iter: 500);

    [Fact]
    public void Finds_a_cut_result_unsound_or_the_same() => Gen.Select(Set.Array[1, 4], Gen.Bool, Gen.Double[0, 1]).Sample((sets, highResolution, part) =>
    {
        using var writer = new PduWriter();
        ResultWriter.TryWrite(writer, highResolution, Time, sets);
        var unit = writer.Written.Span;
        _ = ReceivedResult.Read(unit[..(int)(unit.Length * part)], highResolution);
    }, iter: 500);

    [Fact]
    public void Sends_only_the_wanted_instances()
    {
        var set = new ValueSet();
        for (var i = 0; i < 5; i++)
        {
            set.Add(i, MetricValue.From((ulong)i * 10));
        }

        using var writer = new PduWriter();
        ResultWriter.TryWrite(writer, true, Time, [new ResultSet(new MetricId(1), MetricType.UInt64, set, new InstanceSelection(onlyListed: true, [3, 1, 99]))]);
        ReceivedResult.Read(writer.Written.Span, true)!.Sets[0].Values.Select(v => (v.Instance, v.Value.Unsigned)).Should().Equal((1, 10UL), (3, 30UL));
    }

    [Fact]
    public void Writes_nothing_of_a_result_beyond_the_limit()
    {
        var set = new ValueSet();
        set.Add(MetricValue.From(new string('x', 1000)));
        var sets = Enumerable.Repeat(new ResultSet(new MetricId(1), MetricType.String, set, InstanceSelection.Everything), 10).ToArray();
        using var writer = new PduWriter();
        ResultWriter.TryWrite(writer, true, Time, sets, limit: 5000).Should().BeFalse();
        writer.Written.Length.Should().Be(0);
        ResultWriter.TryWrite(writer, true, Time, sets, limit: 20_000).Should().BeTrue();
    }

    [Fact]
    public void Does_not_let_many_values_share_one_large_block()
    {
        // 100 values that all point to the same string of 60,000 bytes.
        using var writer = new PduWriter();
        writer.Begin(PduType.Result);
        writer.UInt64(0);
        writer.Int32(1);
        writer.UInt32(1);
        writer.Int32(100);
        writer.UInt32(1);
        var block = (writer.UnitLength + 800) / 4;
        for (var i = 0; i < 100; i++)
        {
            writer.Int32(i);
            writer.Int32(block);
        }

        ValueBlock.Write(writer, MetricType.String, MetricValue.From(new string('x', 60_000)));
        writer.End();
        ReceivedResult.Read(writer.Written.Span, false).Should().BeNull();
    }

    [Fact]
    public void Cuts_a_text_that_no_length_can_tell()
    {
        using var writer = new PduWriter();
        ValueBlock.Write(writer, MetricType.String, MetricValue.From(new string('x', 20_000_000)));
        var reader = new PduReader(writer.Written.Span);
        ValueBlock.TryRead(ref reader, out var type, out var value).Should().BeTrue();
        type.Should().Be(MetricType.String);
        value.Text.Length.Should().Be(PduLimits.MaxValue - 1);
    }

    private static string Describe(MetricType type, MetricValue value) => type switch
    {
        MetricType.Int32 => ((int)value.Signed).ToString(),
        MetricType.UInt32 => ((uint)value.Unsigned).ToString(),
        MetricType.String => value.Text,
        MetricType.Aggregate => Convert.ToHexString(value.Bytes),
        MetricType.Float => BitConverter.SingleToUInt32Bits((float)value.Real).ToString(),
        MetricType.Event or MetricType.HighResolutionEvent => string.Join('|', value.Events.Select(e => $"{e.Time:O} {e.Flags} {e.Missed} {string.Join(',', e.Parameters.Select(p => $"{p.Id} {p.Type} {Describe(p.Type, p.Value)}"))}")),
        _ => value.Unsigned.ToString(),
    };
}
