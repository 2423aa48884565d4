using System.Text.Json.Serialization;
using Muster.Core.Configuration;

namespace Muster.Core.Tests.Configuration;

public sealed class YamlDocumentTests
{
    private const string Text = "# a comment\nname: 12\nflag: true\n\nitems:\n  - a: x\n  - b: |\n      long\n    a: y\n";

    [Fact]
    public void Reads_scalars_as_text_but_for_booleans_and_null()
    {
        var file = YamlDocument.Parse("name: 12\nflag: True\nsize: 4096\nitems: [{a: 'true'}, {a: ~}]", "x.yaml").To(YamlDocumentJson.Default.YamlFile);
        (file.Name, file.Flag, file.Size).Should().Be(("12", true, 4096));
        file.Items!.Select(i => i.A).Should().Equal("true", null);
    }

    [Theory]
    [InlineData("$.items[1].b", 7)]
    [InlineData("$.items[1].a", 9)]
    [InlineData("$.items[1]", 7)]
    [InlineData("$.items[1].c", 7)]
    [InlineData("$.items[7].c", 5)]
    [InlineData("$.flag", 3)]
    [InlineData("$.nothing", 2)]
    public void Knows_the_line_of_a_member_or_of_what_is_around_it(string path, int line) => YamlDocument.Parse(Text, "x.yaml").LineOf(path).Should().Be(line);

    [Theory]
    [InlineData("name: a\nitems:\n  - a: [1]\n", "x.yaml, line 3, is not valid: items[0].a: the value has the wrong type")]
    [InlineData("name: a\nflga: true\n", "x.yaml, line 2, is not valid: flga: there is no member of that name")]
    [InlineData("name: a\nname: b\n", "line 2")]
    [InlineData("name: &a b\n", "anchors")]
    [InlineData("a: [[[[[[[[[[[[[[1]]]]]]]]]]]]]]\n", "levels")]
    [InlineData("name: !!str b\n", "tags")]
    [InlineData("--- {}\n--- {}", "x.yaml is not YAML")]
    [InlineData("# nothing\n", "x.yaml is empty")]
    public void Refuses_in_one_sentence_with_the_line(string text, string why) =>
        FluentActions.Invoking(() => YamlDocument.Parse(text, "x.yaml").To(YamlDocumentJson.Default.YamlFile)).Should().Throw<MusterException>().Which.Message.Should().Contain(why).And.NotContain("\n");
}

internal sealed record YamlFile(string? Name, bool? Flag, int? Size, List<YamlItem>? Items);

internal sealed record YamlItem(string? A, string? B);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(YamlFile))]
internal sealed partial class YamlDocumentJson : JsonSerializerContext;
