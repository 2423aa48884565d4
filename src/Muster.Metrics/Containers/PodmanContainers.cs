using System.Text.Json;
using Muster.Linux;

namespace Muster.Metrics.Containers;

/// <summary>
/// Podman's containers, root's and those of users whose files can be read: the list of its storage
/// (<c>overlay-containers/containers.json</c>) and the pid files below its run folder.
/// </summary>
internal sealed class PodmanContainers(TimeProvider time, string storage = "/var/lib/containers/storage", string run = "/run/containers/storage", string homes = "/home", string userRun = "/run/user") : PolledContainers(time)
{
    private static readonly string[] Drivers = ["overlay", "vfs", "btrfs"];

    private readonly CgroupHierarchies _hierarchies = CgroupHierarchies.Load();

    /// <inheritdoc/>
    public override string Name => "podman";

    /// <inheritdoc/>
    protected override IEnumerable<ContainerDescription> List()
    {
        foreach (var container in ListStorage(storage, run, ""))
        {
            yield return container;
        }

        if (!Directory.Exists(homes))
        {
            yield break;
        }

        foreach (var home in Directory.EnumerateDirectories(homes))
        {
            var store = Path.Combine(home, ".local/share/containers/storage");
            if (Directory.Exists(store) && FileStatus.Find(home) is { } owner)
            {
                foreach (var container in ListStorage(store, Path.Combine(userRun, owner.Uid.ToString(), "containers"), Path.GetFileName(home)))
                {
                    yield return container;
                }
            }
        }
    }

    /// <summary>Names, identifications and images of a containers.json; what is not of the known form is left out.</summary>
    internal static IReadOnlyList<(string Id, string Name, string Image, string Digest)> Parse(ReadOnlyMemory<byte> text)
    {
        var found = new List<(string, string, string, string)>();
        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var entry in document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.EnumerateArray() : default)
            {
                var id = entry.Member("id").Text();
                var name = entry.Member("names") is { ValueKind: JsonValueKind.Array } names && names.GetArrayLength() > 0 ? ((JsonElement?)names[0]).Text() : "";
                if (found.Count < MaxContainers && id.Length == 64 && id.All(char.IsAsciiHexDigitLower) && ForeignJson.IsName(name))
                {
                    found.Add((id, name, ImageName(entry.Member("metadata").Text()), entry.Member("image").Text()));
                }
            }
        }
        catch (JsonException)
        {
            // Half written: the next look finds it whole.
        }

        return found;
    }

    // A JSON text within the JSON: podman's own, in a storage that it shares with others.
    private static string ImageName(string metadata)
    {
        try
        {
            using var document = JsonDocument.Parse(metadata.Length > 0 ? metadata : "null");
            return document.RootElement.Member("image-name").Text();
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private IEnumerable<ContainerDescription> ListStorage(string storage, string run, string user)
    {
        foreach (var driver in Drivers)
        {
            if (ReadFile(Path.Combine(storage, $"{driver}-containers", "containers.json")) is not { } list)
            {
                continue;
            }

            foreach (var (id, name, image, digest) in Parse(list))
            {
                var pid = LivingProcess(ReadFile(Path.Combine(run, $"{driver}-containers", id, "userdata/pidfile")), id);
                yield return new ContainerDescription
                {
                    Name = user.Length == 0 ? name : $"{user}:{name}",
                    Id = id,
                    Kind = ContainerKind.Podman,
                    State = pid <= 0 ? ContainerState.Exited : _hierarchies.IsFrozen(pid) ? ContainerState.Paused : ContainerState.Running,
                    InitPid = pid,
                    HasOwnNetwork = HasOwnNetwork(pid),
                    StartedAt = StartOf(pid),
                    Labels = [new("image", image), new("digest", digest.Length > 0 ? "sha256:" + digest : ""), .. user.Length == 0 ? Array.Empty<KeyValuePair<string, string>>() : [new("owner", user)]],
                };
            }
        }
    }
}
