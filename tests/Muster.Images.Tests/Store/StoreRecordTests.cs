using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Muster.TestKit;

namespace Muster.Images.Tests.Store;

/// <summary>The store's records: what is not written has the default that the record says.</summary>
public sealed class StoreRecordTests
{
    [Fact]
    public void An_image_record_without_its_optional_members_has_their_defaults() => EveryChoice(new ImageRecord
    {
        Id = "sha256-0",
        Kind = ImageKind.Oci,
        Name = "app",
        App = new AppTemplate(),
        Trees = [],
        Blobs = [],
        ImportedAt = DateTimeOffset.UnixEpoch,
        Manifest = JsonElement.Parse("{}"),
    }, StoreJson.Default.ImageRecord);

    [Fact]
    public void A_reference_record_without_its_optional_members_has_their_defaults() => EveryChoice(new ReferenceRecord
    {
        Reference = "app",
        Image = "sha256-0",
        Trust = new TrustRecord { Verdict = TrustVerdict.Signed },
        FetchedAt = DateTimeOffset.UnixEpoch,
    }, StoreJson.Default.ReferenceRecord);

    [Fact]
    public void A_tree_record_without_its_optional_members_has_their_defaults() =>
        EveryChoice(new TreeRecord { Id = "sha256-0", Kind = "oci" }, StoreJson.Default.TreeRecord);

    private static void EveryChoice<T>(T sample, JsonTypeInfo<T> json) =>
        Gen.Bool.Array[LeftOutMembers.Count(sample, json) + 1].Sample(left => LeftOutMembers.Check(sample, json, left), iter: 300);
}
