using System.Text.Json;

namespace Muster.Metrics.Containers;

/// <summary>
/// Podman's containers, root's and those of users whose files can be read: the list of its storage
/// (<c>overlay-containers/containers.json</c>) and the pid files below its run folder.
/// </summary>
internal sealed class PodmanContainers(TimeProvider time, string storage = "/var/lib/containers/storage", string run = "/run/containers/storage", string homes = "/home", string userRun = "/run/user") : PolledContainers(time)
{
    private static readonly string[] Drivers = ["overlay", "vfs", "btrfs"];

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
            if (Directory.Exists(store) && Linux.FileStatus.Find(home) is { } owner)
            {
                foreach (var container in ListStorage(store, Path.Combine(userRun, owner.Uid.ToString(), "containers"), Path.GetFileName(home)))
                {
                    yield return container;
                }
            }
        }
    }

    /// <summary>Names, identifications and images of a containers.json; what is not of the known form is left out.</summary>
    internal static IReadOnlyList<(string Id, string Name, string Image, DateTimeOffset? Created)> Parse(ReadOnlyMemory<byte> text)
    {
        var found = new List<(string, string, string, DateTimeOffset?)>();
        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var entry in document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement.EnumerateArray() : default)
            {
                var id = entry.Member("id").Text();
                var name = entry.Member("names") is { ValueKind: JsonValueKind.Array } names && names.GetArrayLength() > 0 ? ((JsonElement?)names[0]).Text() : "";
                if (found.Count < MaxContainers && id.Length == 64 && id.All(char.IsAsciiHexDigitLower) && ForeignJson.IsName(name))
                {
                    found.Add((id, name, entry.Member("image").Text(), entry.Member("created").Time()));
                }
            }
        }
        catch (JsonException)
        {
            // Half written: the next look finds it whole.
        }

        return found;
    }

    private static IEnumerable<ContainerDescription> ListStorage(string storage, string run, string user)
    {
        foreach (var driver in Drivers)
        {
            if (ReadFile(Path.Combine(storage, $"{driver}-containers", "containers.json")) is not { } list)
            {
                continue;
            }

            foreach (var (id, name, image, created) in Parse(list))
            {
                var pid = LivingProcess(ReadFile(Path.Combine(run, $"{driver}-containers", id, "userdata/pidfile")), id);
                yield return new ContainerDescription
                {
                    Name = user.Length == 0 ? name : $"{user}:{name}",
                    Id = id,
                    Kind = ContainerKind.Podman,
                    State = pid > 0 ? ContainerState.Running : ContainerState.Exited,
                    InitPid = pid,
                    HasOwnNetwork = pid > 0 && new FileInfo($"/proc/{pid}/ns/net").LinkTarget != new FileInfo("/proc/self/ns/net").LinkTarget,
                    StartedAt = created,
                    Labels = [new("digest", image), .. user.Length == 0 ? Array.Empty<KeyValuePair<string, string>>() : [new("owner", user)]],
                };
            }
        }
    }
}
