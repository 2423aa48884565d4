using System.Net;
using CsCheck;
using Muster.Core;

namespace Muster.Network.Tests;

public class SubnetTests
{
    [Fact]
    public void Reads_back_what_it_writes() => Gen.Select(Gen.Byte.Array[16], Gen.Bool, Gen.Int[0, 128]).Sample((bytes, v6, length) =>
    {
        var subnet = Subnet.Of(new IPAddress(v6 ? bytes : bytes[..4]), v6 ? length : length % 33);
        Subnet.TryParse(subnet.ToString(), out var again).Should().BeTrue(subnet.ToString());
        again.Should().Be(subnet);
        subnet.Contains(subnet.Network).Should().BeTrue();
    });

    [Theory]
    [InlineData("10.0.0.1/24")]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0/24")]
    [InlineData("010.0.0.0/24")]
    [InlineData("fd00::/129")]
    [InlineData("fe80::%1/64")]
    [InlineData("/24")]
    [InlineData("")]
    public void Refuses_what_is_no_prefix(string text) => Subnet.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void Chooses_the_first_prefix_that_no_route_overlaps()
    {
        Subnet.TryParse("10.209.0.0/23", out var two).Should().BeTrue();
        Subnet.TryParse("10.209.2.128/25", out var half).Should().BeTrue();
        var ula = SubnetChoice.UlaOf("machine");
        var v6Taken = Subnet.Of(ula[(UInt128)3 << 64], 64);
        var (v4, v6) = SubnetChoice.First([two, half, v6Taken], ula);
        v4.ToString().Should().Be("10.209.4.0/24");
        v6.Should().Be(Subnet.Of(ula[(UInt128)4 << 64], 64));
        var act = () => SubnetChoice.First([Subnet.Of(IPAddress.Parse("10.0.0.0"), 8)], ula);
        act.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }

    [Fact]
    public void Hands_out_every_address_of_a_prefix_once()
    {
        using var root = new TestRoot();
        var paths = new NetworkPaths(root.Root);
        Directory.CreateDirectory(paths.Addresses("n"));
        Guid Pod()
        {
            var pod = Guid.NewGuid();
            Directory.CreateDirectory(paths.Pod(pod));
            File.WriteAllText(paths.Owner(pod), pod.ToString());
            return pod;
        }

        Subnet.TryParse("10.1.0.0/28", out var subnet).Should().BeTrue();
        var book = new AddressBook(paths, "n");
        var taken = Enumerable.Range(0, 13).Select(_ => book.Claim(subnet, Pod()).ToString()).ToList();
        taken.Should().OnlyHaveUniqueItems().And.NotContain(["10.1.0.0", "10.1.0.1", "10.1.0.15"]);
        var act = () => book.Claim(subnet, Pod());
        act.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }
}
