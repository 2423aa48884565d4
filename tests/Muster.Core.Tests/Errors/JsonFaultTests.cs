using System.Text.Json;
using System.Text.Json.Serialization;
using CsCheck;
using Muster.Core.Supervision;

namespace Muster.Core.Tests.Errors;

public sealed class JsonFaultTests
{
    [Theory]
    [InlineData("", "line 1, byte 1: it is empty")]
    [InlineData("{\"a\":", "it ends in the middle")]
    [InlineData("{\"a\":\n <html>}", "line 2, byte 2: what stands there is not JSON")]
    [InlineData("{\"a\":1,}", "line 1, byte 8: what stands there is not JSON")]
    [InlineData("[[[[[[[[[[1]]]]]]]]]]", "it is nested too deep")]
    [InlineData("{\"a\":1,\"a\":2}", "a member stands there twice")]
    [InlineData("\"\u0001\"", "line 1, byte 2: what stands there is not JSON")]
    public void Says_where_a_document_is_not_json(string text, string expected) =>
        Fault(() => JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }).Dispose()).Should().Contain(expected);

    [Theory]
    [InlineData("{\"version\":\"x\"}", "(version): the value has the wrong type or is out of range")]
    [InlineData("{\"apps\":[{\"name\":1}]}", "(apps[0].name): the value has the wrong type")]
    [InlineData("{\"no\\nsuch\":1}", "there is no member of that name")]
    [InlineData("{\"version\":1}", "it lacks \"pod\", \"runtime\"")]
    [InlineData("{\"pod\":\"p\"", "it ends in the middle")]
    public void Says_which_member_does_not_fit(string text, string expected) =>
        Fault(() => JsonSerializer.Deserialize(text, PlanJson.Default.SupervisionPlan)).Should().Contain(expected);

    [Fact]
    public void Is_one_short_line_whatever_the_document_is() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        byte[] document = [.. "{\""u8, .. bytes, .. "\":1}"u8];
        try
        {
            _ = JsonSerializer.Deserialize(document, PlanJson.Default.SupervisionPlan);
        }
        catch (JsonException e)
        {
            var said = JsonFault.Of(e);
            said.Should().NotContainAny("Path:", "Muster.", "System.").And.Match(s => s.All(c => !char.IsControl(c)));
            said.Length.Should().BeLessThan(400);
        }
    }, iter: 2000);

    private static string Fault(Action read) => JsonFault.Of(FluentActions.Invoking(read).Should().Throw<JsonException>().Which);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(SupervisionPlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
