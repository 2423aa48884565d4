using System.Text.Json;
using CsCheck;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Wire;

public sealed class LabelWriterTests
{
    [Fact]
    public void Writes_what_pmcd_writes()
    {
        using var writer = new PduWriter();
        LabelWriter.Write(writer, 0x0f000003, 4, [new LabelSet(-1, [new("indom_name", "per interface"), new("device_type", "interface")])]);
        Convert.ToHexStringLower(writer.Written.Span).Should().Be("0000007400007013000000000f000003000000040000000000000001ffffffff000000020000003c0000003800020b04000f000b001c0a040028000f7b226465766963655f74797065223a22696e74657266616365222c22696e646f6d5f6e616d65223a2270657220696e74657266616365227d");
    }

    [Fact]
    public void Marks_who_asks_as_numbers_that_do_not_count()
    {
        using var writer = new PduWriter();
        LabelWriter.Write(writer, 0xffffffff, 1, [new LabelSet(-1, [new("userid", "0"), new("container", "nosuch")])]);
        var text = System.Text.Encoding.Latin1.GetString(writer.Written.Span);
        text.Should().EndWith("{\"container\":\"nosuch\",\"userid\":0}");
        Convert.ToHexStringLower(writer.Written.Span[44..60]).Should().Be("00020901000d0008" + "00170681001f0001");
    }

    [Fact]
    public void Points_to_each_name_and_value_in_text_that_is_JSON() => Gen.Dictionary(Gen.String[Gen.Char['a', 'z'], 1, 8], Gen.String[Gen.Char['\x01', '\u20ff'], 0, 20])[0, 8].Where(d => !d.ContainsKey("userid")).Sample(labels =>
    {
        using var writer = new PduWriter();
        LabelWriter.Write(writer, 1, 32, [new LabelSet(7, [.. labels])]);
        var unit = writer.Written.Span;
        var reader = new PduReader(unit[12..]);
        reader.Bytes(12);
        reader.UInt32().Should().Be(1u);
        reader.Int32().Should().Be(7);
        reader.Int32().Should().Be(labels.Count);
        var json = unit.Slice(reader.Int32(), reader.Int32());
        if (labels.Count > 0)
        {
            JsonSerializer.Deserialize<Dictionary<string, string>>(json).Should().BeEquivalentTo(labels);
        }

        foreach (var name in labels.Keys.Order(StringComparer.Ordinal))
        {
            var first = reader.UInt32();
            var second = reader.UInt32();
            System.Text.Encoding.UTF8.GetString(json.Slice((int)(first >> 16), (int)(first >> 8) & 0xff)).Should().Be(name);
            JsonSerializer.Deserialize<string>(json.Slice((int)(second >> 16), (int)(second & 0xffff))).Should().Be(labels[name]);
        }
    }, iter: 300);

    [Fact]
    public void Leaves_out_whole_labels_beyond_the_bounds()
    {
        using var writer = new PduWriter();
        LabelWriter.Write(writer, 1, 32, [new LabelSet(0, [.. Enumerable.Range(0, 400).Select(i => new KeyValuePair<string, string>("n" + i, new string('v', 300)))])]);
        var reader = new PduReader(writer.Written.Span[12..]);
        reader.Bytes(16);
        reader.Int32();
        reader.Int32().Should().BeLessThan(256).And.BeGreaterThan(200);
        reader.Int32();
        reader.Int32().Should().BeLessThan(65536);
    }
}
