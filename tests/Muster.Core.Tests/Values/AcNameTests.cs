using System.Text.RegularExpressions;
using CsCheck;

namespace Muster.Core.Tests.Values;

public sealed partial class AcNameTests
{
    [Fact]
    public void Takes_names_exactly_as_the_specification_does() => Gen.String[Gen.Char["ab09-._~/AZ \n"], 0, 12].Sample(text =>
        AcName.IsName(text) == Name().IsMatch(text) && AcName.IsIdentifier(text) == Identifier().IsMatch(text), iter: 20_000);

    [Fact]
    public void Limits_the_length()
    {
        AcName.IsName(new string('a', AcName.MaxLength)).Should().BeTrue();
        AcName.IsName(new string('a', AcName.MaxLength + 1)).Should().BeFalse();
        AcName.IsIdentifier(new string('a', 513)).Should().BeFalse();
        AcName.IsName(null).Should().BeFalse();
    }

    [Fact]
    public void Makes_a_name_of_any_text() => Gen.String.Sample(text => AcName.IsName(AcName.Sanitize(text)));

    [Theory]
    [InlineData("Web_Server:1.27", "web-server-1-27")]
    [InlineData("--", "app")]
    [InlineData("", "app")]
    [InlineData("nginx", "nginx")]
    [InlineData("Straße", "stra-e")]
    public void Makes_names_that_can_be_recognised(string text, string name) => AcName.Sanitize(text).Should().Be(name);

    [GeneratedRegex("^[a-z0-9]+([-][a-z0-9]+)*\\z")]
    private static partial Regex Name();

    [GeneratedRegex("^[a-z0-9]+([-._~/][a-z0-9]+)*\\z")]
    private static partial Regex Identifier();
}
