using System.Text.Json;
using static Muster.Core.JsonMembers;

namespace Muster.Images;

/// <summary>The kinds of records in the store.</summary>
internal static class RecordFormats
{
    /// <summary><c>images/ID.json</c>.</summary>
    public static readonly RecordFormat<ImageRecord> Image = new(ReadImage, () => StoreJson.Default.ImageRecord);

    /// <summary><c>refs/NAME.json</c>.</summary>
    public static readonly RecordFormat<ReferenceRecord> Reference = new(ReadReference, () => StoreJson.Default.ReferenceRecord);

    /// <summary><c>trees/ID/tree.json</c>, which no start of a pod reads.</summary>
    public static readonly RecordFormat<TreeRecord> Tree = new(null, () => StoreJson.Default.TreeRecord);

    private static ImageRecord ReadImage(JsonElement json)
    {
        Known(json, "version", "id", "kind", "name", "versionLabel", "labels", "annotations", "app", "trees", "blobs", "dependencies", "os", "architecture", "importedAt", "blobBytes", "treeBytes", "manifest", "configuration");
        return new ImageRecord
        {
            Version = Number(json, "version", ImageRecord.CurrentVersion),
            Id = Text(json, "id"),
            Kind = Text(json, "kind") switch { nameof(ImageKind.Aci) => ImageKind.Aci, nameof(ImageKind.Oci) => ImageKind.Oci, _ => throw new JsonException("no kind of image") },
            Name = Text(json, "name"),
            VersionLabel = TextOrNull(json, "versionLabel"),
            Labels = Pairs(json, "labels"),
            Annotations = Pairs(json, "annotations"),
            App = ReadApp(json.GetProperty("app")),
            Trees = List(json.GetProperty("trees")),
            Blobs = List(json.GetProperty("blobs")),
            Dependencies = Texts(json, "dependencies"),
            Os = TextOrNull(json, "os")!,
            Architecture = TextOrNull(json, "architecture")!,
            ImportedAt = json.GetProperty("importedAt").GetDateTimeOffset(),
            BlobBytes = Long(json, "blobBytes"),
            TreeBytes = Long(json, "treeBytes"),
            Manifest = json.GetProperty("manifest"),
            Configuration = json.TryGetProperty("configuration", out var configuration) && configuration.ValueKind != JsonValueKind.Null ? configuration : null,
        };
    }

    private static AppTemplate ReadApp(JsonElement json)
    {
        Known(json, "exec", "defaultArguments", "user", "group", "supplementaryGids", "workingDirectory", "environment", "eventHandlers", "mountPoints", "ports", "isolators", "stopSignal", "userAnnotations", "userLabels");
        return new AppTemplate
        {
            Exec = Texts(json, "exec"),
            DefaultArguments = Texts(json, "defaultArguments"),
            User = TextOrNull(json, "user")!,
            Group = TextOrNull(json, "group"),
            SupplementaryGids = Each(json, "supplementaryGids", id => id.GetUInt32()),
            WorkingDirectory = TextOrNull(json, "workingDirectory"),
            Environment = Pairs(json, "environment"),
            EventHandlers = Each(json, "eventHandlers", handler => Only(handler, new EventHandlerSpec(Text(handler, "name"), List(handler.GetProperty("exec"))), "name", "exec")),
            MountPoints = Each(json, "mountPoints", point => Only(point, new MountPoint(Text(point, "name"), Text(point, "path"), Flag(point, "readOnly")), "name", "path", "readOnly")),
            Ports = Each(json, "ports", ReadPort),
            Isolators = Each(json, "isolators", isolator => Only(isolator, new Isolator(Text(isolator, "name"), isolator.GetProperty("value")), "name", "value")),
            StopSignal = TextOrNull(json, "stopSignal"),
            UserAnnotations = Pairs(json, "userAnnotations"),
            UserLabels = Pairs(json, "userLabels"),
        };
    }

    private static PortSpec ReadPort(JsonElement json) => Only(
        json,
        new PortSpec(Text(json, "name"), Text(json, "protocol"), json.GetProperty("port").GetInt32(), Number(json, "count", 1), Flag(json, "socketActivated")),
        "name", "protocol", "port", "count", "socketActivated");

    private static ReferenceRecord ReadReference(JsonElement json)
    {
        Known(json, "reference", "image", "trust", "fetchedAt", "signatures", "index", "stamp");
        return new ReferenceRecord
        {
            Reference = Text(json, "reference"),
            Image = Text(json, "image"),
            Trust = ReadTrust(json.GetProperty("trust")),
            FetchedAt = json.GetProperty("fetchedAt").GetDateTimeOffset(),
            Signatures = Each(json, "signatures", ReadSignature),
            Index = TextOrNull(json, "index"),
            Stamp = TextOrNull(json, "stamp"),
        };
    }

    private static TrustRecord ReadTrust(JsonElement json)
    {
        Known(json, "verdict", "scheme", "signer", "key", "signingKey", "signedDigest", "identity", "signedAt", "judgedAt", "reason");
        return new TrustRecord
        {
            Verdict = Text(json, "verdict") switch { "signed" => TrustVerdict.Signed, "built" => TrustVerdict.Built, "insecure" => TrustVerdict.Insecure, _ => throw new JsonException("no verdict") },
            Scheme = TextOrNull(json, "scheme"),
            Signer = TextOrNull(json, "signer"),
            Key = TextOrNull(json, "key"),
            SigningKey = TextOrNull(json, "signingKey"),
            SignedDigest = TextOrNull(json, "signedDigest"),
            Identity = TextOrNull(json, "identity"),
            SignedAt = json.TryGetProperty("signedAt", out var signed) && signed.ValueKind != JsonValueKind.Null ? signed.GetDateTimeOffset() : null,
            JudgedAt = json.TryGetProperty("judgedAt", out var judged) ? judged.GetDateTimeOffset() : default,
            Reason = TextOrNull(json, "reason"),
        };
    }

    private static KeptSignature ReadSignature(JsonElement json)
    {
        Known(json, "scheme", "signedDigest", "payload", "value", "carrier", "carrierBlobs", "location");
        return new KeptSignature
        {
            Scheme = Text(json, "scheme"),
            SignedDigest = Text(json, "signedDigest"),
            Payload = Text(json, "payload"),
            Value = TextOrNull(json, "value"),
            Carrier = TextOrNull(json, "carrier"),
            CarrierBlobs = Texts(json, "carrierBlobs"),
            Location = Text(json, "location"),
        };
    }

    private static IReadOnlyList<NameValue> Pairs(JsonElement json, string name) =>
        Each(json, name, pair => Only(pair, new NameValue(Text(pair, "name"), Text(pair, "value")), "name", "value"));

    private static IReadOnlyList<string> List(JsonElement list) => [.. list.EnumerateArray().Select(NotNull)];

    private static long Long(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetInt64() : 0;

    private static T Only<T>(JsonElement json, T read, params ReadOnlySpan<string> names)
    {
        Known(json, names);
        return read;
    }
}
