using System.Text;
using System.Text.Json;
using CsCheck;

namespace Muster.Core.Tests.Values;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("{\"a\":\"\\ud800\"}", "not Unicode")]
    [InlineData("{\"\\udc00\":1}", "not Unicode")]
    [InlineData("[[{\"a\":[\"\\ud800x\"]}]]", "not Unicode")]
    [InlineData("{\"a\":1,\"a\":2}", "twice")]
    [InlineData("{\"a\":1", "ends in the middle")]
    public void Refuses_what_fails_only_when_it_is_read(string text, string expected) =>
        JsonFault.Of(FluentActions.Invoking(() => StrictJson.Parse(Encoding.UTF8.GetBytes(text))).Should().Throw<JsonException>().Which).Should().Contain(expected);

    [Fact]
    public void Every_text_of_what_is_taken_can_be_read() => Gen.Byte.Array[0, 12].Sample(bytes =>
    {
        byte[] document = [.. "{\"a\":\""u8, .. bytes, .. "\",\"\\u00e4\\ud83d\\ude00\":1}"u8];
        try
        {
            foreach (var member in StrictJson.Parse(document).EnumerateObject())
            {
                _ = member.Name.Length + (member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()!.Length : 0);
            }
        }
        catch (JsonException)
        {
            // Refused, as it should be.
        }
    }, iter: 5000);
}
