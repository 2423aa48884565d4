using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Muster.Images.Oci;
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

    private static readonly ImageRecord FullImage = new()
    {
        Id = "sha256-0",
        Kind = ImageKind.Aci,
        Name = "app",
        VersionLabel = "1",
        Labels = [new("os", "linux")],
        Annotations = [new("created", "now")],
        App = new AppTemplate
        {
            Exec = ["/bin/app", "-v"],
            DefaultArguments = ["x"],
            Group = "5",
            SupplementaryGids = [1, uint.MaxValue],
            WorkingDirectory = "/srv",
            Environment = [new("A", "b=\u00fc")],
            EventHandlers = [new("pre-start", ["/bin/true"])],
            MountPoints = [new("data", "/data", true)],
            Ports = [new("web", "tcp", 80, 2, true)],
            Isolators = [new("resource/cpu", JsonElement.Parse("""{"limit":"250m"}"""))],
            StopSignal = "SIGQUIT",
            UserAnnotations = [new("a", "b")],
            UserLabels = [new("c", "d")],
        },
        Trees = ["t"],
        Blobs = ["sha256:0"],
        Dependencies = ["sha512-0"],
        Os = "linux",
        Architecture = "arm64",
        ImportedAt = DateTimeOffset.UnixEpoch.AddTicks(1234567),
        BlobBytes = long.MaxValue,
        TreeBytes = 5,
        Manifest = JsonElement.Parse("""{"acKind":"ImageManifest"}"""),
        Configuration = JsonElement.Parse("[1]"),
    };

    private static readonly ReferenceRecord FullReference = new()
    {
        Reference = "app",
        Image = "sha256-0",
        Trust = new TrustRecord { Verdict = TrustVerdict.Built, Scheme = "openpgp", Signer = "me", Key = "k", SigningKey = "s", SignedDigest = "d", Identity = "i", SignedAt = DateTimeOffset.UnixEpoch, JudgedAt = DateTimeOffset.UnixEpoch.AddDays(1), Reason = "r" },
        FetchedAt = DateTimeOffset.UnixEpoch,
        Signatures = [new() { Scheme = "cosign", SignedDigest = "d", Payload = "p", Value = "v", Carrier = "c", CarrierBlobs = ["b"], Location = "l" }],
        Index = "sha256:1",
        Stamp = "1",
    };

    private const string FullDocument = """
        {"schemaVersion":2,"mediaType":"m","artifactType":"a","unknown":[],"config":{"mediaType":"c","digest":"sha256:0","size":1},
         "layers":[null,{"mediaType":"l","digest":"sha256:1","size":2,"annotations":{"a":"b"}}],
         "manifests":[{"digest":"d","size":3,"platform":{"architecture":"arm64","os":"linux","variant":"v8"},"artifactType":"x"}],"annotations":{"k":"v","n":null}}
        """;

    [Fact]
    public void What_is_read_member_by_member_is_what_the_serializer_reads()
    {
        var image = JsonSerializer.SerializeToNode(FullImage, StoreJson.Default.ImageRecord)!.ToJsonString();
        var reference = JsonSerializer.SerializeToNode(FullReference, StoreJson.Default.ReferenceRecord)!.ToJsonString();
        RecordFormats.Image.ReadMembers(Encoding.UTF8.GetBytes(image)).Should().NotBeNull("else every start of a pod pays for the serializer");
        RecordFormats.Reference.ReadMembers(Encoding.UTF8.GetBytes(reference)).Should().NotBeNull();
        OciDocumentReader.TryRead(Encoding.UTF8.GetBytes(FullDocument)).Should().NotBeNull();
        Gen.Int[0, 10_000].Array[1, 3].Sample(
            at =>
            {
                SameAsTheSerializer(Changed(image, at), StoreJson.Default.ImageRecord, RecordFormats.Image.ReadMembers);
                SameAsTheSerializer(Changed(reference, at), StoreJson.Default.ReferenceRecord, RecordFormats.Reference.ReadMembers);
                SameAsTheSerializer(Changed(FullDocument, at), OciJson.Default.OciDocumentJson, bytes => OciDocumentReader.TryRead(bytes));
            },
            iter: 3000);
    }

    // Null means that the serializer is asked instead; anything else must be what it would have read.
    private static void SameAsTheSerializer<T>(string document, JsonTypeInfo<T> json, Func<byte[], T?> members)
        where T : class
    {
        if (members(Encoding.UTF8.GetBytes(document)) is { } read)
        {
            JsonSerializer.Serialize(read, json).Should().Be(JsonSerializer.Serialize(JsonSerializer.Deserialize(document, json)!, json), document);
        }
    }

    // Takes out or replaces a few of the document's values.
    private static string Changed(string document, int[] at)
    {
        string[] others = ["null", "5", "-1", "1.5", "1e3", "99999999999999999999", "\"x\"", "true", "[]", "{}", "[null]", "[1]", "{\"name\":\"n\"}", "\"1970-01-01\""];
        var root = JsonNode.Parse(document)!;
        foreach (var number in at)
        {
            var places = new List<Action<JsonNode?>>();
            Collect(root, places);
            places[number % places.Count](number % (others.Length + 1) is var n && n == others.Length ? Removed : JsonNode.Parse(others[n]));
        }

        return root.ToJsonString();
    }

    private static readonly JsonNode Removed = JsonValue.Create("removed")!;

    private static void Collect(JsonNode? node, List<Action<JsonNode?>> places)
    {
        if (node is JsonObject members)
        {
            foreach (var name in members.Select(m => m.Key).Where(n => n != "version").ToList())
            {
                places.Add(value => _ = ReferenceEquals(value, Removed) ? members.Remove(name) : Set(() => members[name] = value));
                places.Add(value => members["other" + name] = ReferenceEquals(value, Removed) ? null : value);
                Collect(members[name], places);
            }
        }
        else if (node is JsonArray list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                var at = i;
                places.Add(value => list[at] = ReferenceEquals(value, Removed) ? null : value);
                Collect(list[at], places);
            }
        }
    }

    private static bool Set(Action set)
    {
        set();
        return true;
    }

    private static void EveryChoice<T>(T sample, JsonTypeInfo<T> json) =>
        Gen.Bool.Array[LeftOutMembers.Count(sample, json) + 1].Sample(left => LeftOutMembers.Check(sample, json, left), iter: 300);
}
