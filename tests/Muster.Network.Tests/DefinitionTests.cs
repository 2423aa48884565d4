using System.Text;
using CsCheck;
using Muster.Core;

namespace Muster.Network.Tests;

public class DefinitionTests
{
    [Fact]
    public void Reads_yaml_and_json_alike()
    {
        var yaml = NetworkDefinitionText.ParseYaml("# a\nname: lan\nsubnets:\n  - 10.1.0.0/24\n  - fd00:1::/64\nnat: false\nmtu: 9000\n", "x");
        var json = NetworkDefinitionText.ParseJson("""{"name":"lan","subnets":["10.1.0.0/24","fd00:1::/64"],"nat":false,"mtu":9000}""", "x");
        yaml.Should().BeEquivalentTo(json);
        yaml.Problems().Should().BeEmpty();
        NetworkDefinitionText.ParseYaml("", "x").Should().Be(new NetworkDefinition());
    }

    [Theory]
    [InlineData("nat: maybe")]
    [InlineData("colour: red")]
    [InlineData("nat: [1")]
    [InlineData("- a")]
    [InlineData("a: &x 1")]
    [InlineData("nat: true\nnat: false")]
    [InlineData("nat: !!bool true")]
    [InlineData("--- {}\n--- {}")]
    [InlineData("subnets: [[[[[[[[[[1]]]]]]]]]]")]
    public void Refuses_other_yaml(string text)
    {
        var act = () => NetworkDefinitionText.ParseYaml(text, "net.d/x.yaml");
        act.Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains("net.d/x.yaml"));
    }

    [Fact]
    public void Says_everything_that_is_wrong_at_once() =>
        new NetworkDefinition { Name = "UP", Bridge = "a/b", Mtu = 3, Subnets = ["10.0.0.0/31", "10.0.0.1/24"] }.Problems().Should().HaveCount(5);

    [Theory]
    [InlineData("127.0.0.0/24", "the loopback's")]
    [InlineData("0.0.0.0/8", "of no network")]
    [InlineData("224.0.1.0/24", "for multicast")]
    [InlineData("fe80::/64", "every link's own")]
    [InlineData("ff00::/64", "for multicast")]
    [InlineData("::1:0/112", "of no network")]
    public void Refuses_a_prefix_that_no_network_can_have(string subnet, string use) =>
        new NetworkDefinition { Name = "lan", Subnets = [subnet] }.Problems().Should().ContainSingle().Which.Should().Contain(use);

    [Fact]
    public void Never_fails_otherwise_than_with_a_sentence()
    {
        foreach (var sample in new[] { "a: b", "{\"name\":\"x\"}", "[", "a:\n - b\n -", "\"\\uD800\"", "? a\n: b", "%YAML 9\n---\n", "*a", "&a a", "\t- x", "a: !<x> 1" })
        {
            Muster.Fuzz.NetworkTextTarget.Run(Encoding.UTF8.GetBytes(sample));
        }

        Gen.String[Gen.Char["ab:- \n{}[]\"',&*!?|>%#0~\t\\"], 0, 40].Sample(text => Muster.Fuzz.NetworkTextTarget.Run(Encoding.UTF8.GetBytes(text)));
        Gen.Byte.Array[0, 64].Sample(bytes => Muster.Fuzz.NetworkTextTarget.Run(bytes));
    }

    [Fact]
    public void Defines_lists_and_refuses_double_names()
    {
        using var root = new TestRoot();
        var catalog = new NetworkCatalog(root.Root);
        catalog.Create(new NetworkDefinition { Name = "lan", Subnets = ["10.5.0.0/24"] });
        var again = () => catalog.Create(new NetworkDefinition { Name = "lan" });
        again.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        root.Define("broken.yaml", "nat: [");
        root.Define("misnamed.json", """{"name":"other"}""");
        var warnings = new List<string>();
        catalog.List(warnings.Add).Select(n => n.Name).Should().Equal("default", "lan");
        warnings.Should().HaveCount(2);
        var missing = () => catalog.Find("nope");
        missing.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);
    }
}
