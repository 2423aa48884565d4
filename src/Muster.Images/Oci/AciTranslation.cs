using System.Globalization;
using System.Text.Json;
using Muster.Core;
using Muster.Images.Aci;

namespace Muster.Images.Oci;

/// <summary>
/// What App Container and OCI call the same: the annotations with a meaning (appc spec/aci.md "annotations", image-spec
/// annotations.md). What OCI has no word for is refused by name: an app without its limits is another one.
/// </summary>
internal static class AciTranslation
{
    private const string Created = "created";
    private const string Authors = "authors";

    private static readonly (string Aci, string Oci)[] SameMeaning =
    [
        (Authors, "org.opencontainers.image.authors"),
        ("homepage", "org.opencontainers.image.url"),
        ("documentation", "org.opencontainers.image.documentation"),
    ];

    /// <summary>Refuses an app with what an OCI configuration cannot say.</summary>
    /// <exception cref="MusterException">Unsupported, with everything that cannot be said.</exception>
    public static void CheckSayable(ImageRecord image)
    {
        var app = image.App;
        List<string> unsayable = [.. app.Isolators.Select(i => $"the isolator {i.Name}"), .. app.EventHandlers.Select(h => $"the {h.Name} handler")];
        unsayable.AddRange(app.MountPoints.Where(m => m.ReadOnly).Select(m => $"the read-only mount point {m.Name}"));
        if (app.SupplementaryGids.Count > 0)
        {
            unsayable.Add("supplementary groups");
        }

        if (app.User.StartsWith('/') || app.Group?.StartsWith('/') == true)
        {
            unsayable.Add("a user or group by the owner of a file");
        }

        if (unsayable.Count > 0)
        {
            throw new MusterException(ErrorKind.Unsupported, $"{image.Name} has {string.Join(", ", unsayable)}, which an OCI image cannot say: move it as a FILE.aci or with --to-root, or leave that out of its manifest");
        }
    }

    /// <summary>When an ACI says it was made; null when it does not. Never when it was imported: the same file must give the same image everywhere.</summary>
    public static DateTimeOffset? CreatedOf(ImageRecord aci) =>
        aci.Annotations.FirstOrDefault(a => a.Name == Created)?.Value is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>The manifest's annotations of an ACI that becomes an OCI image; its name and version among them.</summary>
    public static IReadOnlyList<NameValue> ToOci(ImageRecord aci)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal) { ["org.opencontainers.image.title"] = aci.Name };
        if (aci.VersionLabel is not null)
        {
            result["org.opencontainers.image.version"] = aci.VersionLabel;
        }

        foreach (var (name, value) in aci.Annotations.Where(a => a.Name is not (Created or AciWriter.StopSignal)))
        {
            result.TryAdd(SameMeaning.FirstOrDefault(n => n.Aci == name).Oci ?? name, value);
        }

        return [.. result.Select(a => new NameValue(a.Key, a.Value))];
    }

    /// <summary>The annotations of an OCI image that becomes an ACI, with the time and the author of its configuration.</summary>
    public static IReadOnlyList<NameValue> ToAci(ImageRecord oci)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in oci.Annotations)
        {
            // An address that is none would be refused in the App Container manifest, which knows what it should be.
            var same = SameMeaning.FirstOrDefault(n => n.Oci == name).Aci;
            var known = same == Authors || (same is not null && Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https") ? same! : name;
            if (AcName.IsIdentifier(known))
            {
                result.TryAdd(known, value);
            }
        }

        Take(Created, "created", value => DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));
        Take(Authors, "author", value => value.Length > 0);
        if (oci.App.StopSignal is { } signal)
        {
            result[AciWriter.StopSignal] = signal;
        }

        return [.. result.Select(a => new NameValue(a.Key, a.Value))];

        void Take(string name, string member, Func<string, bool> isGood)
        {
            if (oci.Configuration is { ValueKind: JsonValueKind.Object } configuration && configuration.TryGetProperty(member, out var found)
                && found.ValueKind == JsonValueKind.String && found.GetString() is { } value && isGood(value))
            {
                result.TryAdd(name, value);
            }
        }
    }
}
