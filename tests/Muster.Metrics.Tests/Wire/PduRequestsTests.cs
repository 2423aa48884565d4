using CsCheck;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Wire;

public sealed class PduRequestsTests
{
    [Fact]
    public void Reads_any_bytes_without_a_fault() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        _ = FetchRequest.TryRead(bytes, out _);
        _ = ProfileRequest.Read(bytes);
        _ = InstanceRequest.Read(bytes);
        _ = IdentRequest.Read(bytes);
        _ = NamesRequest.Read(bytes);
        _ = NodeRequest.Read(bytes);
        _ = IdsRequest.Read(bytes);
        _ = AttributeRequest.Read(bytes);
        _ = CredentialsRequest.Read(bytes);
    }, iter: 5000);

    [Fact]
    public void Reads_back_profiles() => Gen.Select(Gen.Bool, Gen.Select(Gen.UInt, Gen.Bool, Gen.Int[0, 50].Array[0, 8]).Array[0, 4]).Sample((all, domains) =>
    {
        using var writer = new PduWriter();
        writer.Int32(3);
        writer.UInt32(all ? 0u : 1u);
        writer.Int32(domains.Length);
        writer.UInt32(0);
        foreach (var (id, allOfDomain, instances) in domains)
        {
            writer.UInt32(id);
            writer.UInt32(allOfDomain ? 0u : 1u);
            writer.Int32(instances.Length);
            writer.UInt32(0);
        }

        foreach (var instance in domains.SelectMany(d => d.Item3))
        {
            writer.Int32(instance);
        }

        var request = ProfileRequest.Read(writer.Written.Span);
        request!.Context.Should().Be(3);
        foreach (var (id, allOfDomain, instances) in domains.Reverse().DistinctBy(d => d.Item1))
        {
            for (var i = 0; i < 52; i++)
            {
                request.Profile.For(new InstanceDomainId(id)).Wants(i).Should().Be(instances.Contains(i) != allOfDomain);
            }
        }

        request.Profile.For(new InstanceDomainId(0xdead)).Wants(1).Should().Be(all || domains.Any(d => d.Item1 == 0xdead));
    }, iter: 300);

    [Fact]
    public void Reads_back_names() => Gen.String[Gen.Char['a', 'z'], 0, 20].Array[0, 6].Sample(names =>
    {
        using var writer = new PduWriter();
        writer.Int32(names.Sum(n => n.Length + 1));
        writer.Int32(0);
        writer.Int32(names.Length);
        foreach (var name in names)
        {
            writer.Text(name);
        }

        NamesRequest.Read(writer.Written.Span).Should().Equal(names);
    });

    [Fact]
    public void Believes_no_count()
    {
        NamesRequest.Read(Hex("00000000 00000000 7fffffff")).Should().BeNull();
        NamesRequest.Read(Hex("00000000 00000002 00000001 00000000 00000000")).Should().BeNull("as many states as names, or none");
        IdsRequest.Read(Hex("00000000 ffffffff 00000001")).Should().BeNull();
        ProfileRequest.Read(Hex("00000000 00000000 00000001 00000000 00000001 00000000 00000002 00000000 00000001")).Should().BeNull();
        FetchRequest.TryRead(Hex("00000000 0000000000000000 00000002 00000001"), out _).Should().BeFalse();
        InstanceRequest.Read(Hex("00000000 0000000000000000 ffffffff ffffffff")).Should().BeNull();
        AttributeRequest.Read(new byte[4 + PduLimits.MaxAttribute + 1]).Should().BeNull();
        CredentialsRequest.Read(Hex("00000001 02020000")).Should().BeNull("no entry is the client's version");
    }

    [Fact]
    public void Takes_a_text_without_its_padding_at_the_end_of_the_unit()
    {
        NodeRequest.Read(Hex("00000000 00000003 616263"))!.Value.Name.Should().Be("abc");
        NodeRequest.Read(Hex("00000000 00000003 6162637e"))!.Value.Name.Should().Be("abc");
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
