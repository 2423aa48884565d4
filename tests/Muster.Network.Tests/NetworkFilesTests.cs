using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Muster.TestKit;

namespace Muster.Network.Tests;

/// <summary>The room's JSON files: what is not written has the default that the record says.</summary>
public sealed class NetworkFilesTests
{
    [Fact]
    public void A_definition_without_its_optional_members_has_their_defaults() => EveryChoice(new NetworkDefinition(), NetworkFilesJson.Default.NetworkDefinition);

    [Fact]
    public void A_managed_network_without_its_optional_members_has_their_defaults() =>
        EveryChoice(new ManagedNetwork { Name = "n", Bridge = "b", Subnets = [] }, NetworkFilesJson.Default.ManagedNetwork);

    [Fact]
    public void A_pods_record_without_its_optional_members_has_their_defaults() => EveryChoice(new PodRecord
    {
        Pod = Guid.NewGuid(),
        Cni = [new CniAttachment { Network = "n", Interface = "eth0", Configuration = JsonElement.Parse("{}") }],
    }, NetworkFilesJson.Default.PodRecord);

    private static void EveryChoice<T>(T sample, JsonTypeInfo<T> json) =>
        Gen.Bool.Array[LeftOutMembers.Count(sample, json) + 1].Sample(left => LeftOutMembers.Check(sample, json, left), iter: 300);
}
