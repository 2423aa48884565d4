using System.Text.Json;

namespace Muster.Metrics.Containers;

/// <summary>Docker's containers, from <c>containers/ID/config.v2.json</c> below its data folder.</summary>
internal sealed class DockerContainers(TimeProvider time, string folder = "/var/lib/docker/containers") : PolledContainers(time)
{
    private readonly Dictionary<string, (DateTime Changed, ContainerDescription? Container)> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string Name => "docker";

    /// <inheritdoc/>
    protected override IEnumerable<ContainerDescription> List()
    {
        if (!Directory.Exists(folder))
        {
            _known.Clear();
            yield break;
        }

        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateDirectories(folder).Take(MaxContainers))
        {
            var file = Path.Combine(path, "config.v2.json");
            var changed = File.GetLastWriteTimeUtc(file);
            there.Add(path);
            if (!_known.TryGetValue(path, out var known) || known.Changed != changed)
            {
                var hostNetwork = ReadFile(Path.Combine(path, "hostconfig.json")) is { } host && UsesHostNetwork(host);
                _known[path] = known = (changed, ReadFile(file) is { } text ? Parse(text, Path.GetFileName(path), hostNetwork) : null);
            }

            if (known.Container is { } container)
            {
                yield return container;
            }
        }

        foreach (var gone in _known.Keys.Where(k => !there.Contains(k)).ToList())
        {
            _known.Remove(gone);
        }
    }

    /// <summary>The container that a config.v2.json describes; null when it is none.</summary>
    internal static ContainerDescription? Parse(ReadOnlyMemory<byte> text, string id, bool hostNetwork)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            var name = root.Member("Name").Text().TrimStart('/');
            if (!ForeignJson.IsName(name) || root.Member("State") is not { } state)
            {
                return null;
            }

            var pid = state.Member("Pid").Number();
            var config = root.Member("Config");
            return new ContainerDescription
            {
                Name = name,
                Id = id,
                Kind = ContainerKind.Docker,
                State = state.Member("Restarting").Truth() ? ContainerState.Restarting
                    : state.Member("Paused").Truth() ? ContainerState.Paused
                    : state.Member("Running").Truth() ? ContainerState.Running
                    : state.Member("StartedAt").Time() is null ? ContainerState.Prepared : ContainerState.Exited,
                InitPid = Math.Max(0, pid),
                HasOwnNetwork = !hostNetwork,
                Restarts = Math.Max(0, root.Member("RestartCount").Number()),
                StartedAt = state.Member("StartedAt").Time(),
                Labels = [new("image", config?.Member("Image").Text() ?? ""), new("digest", root.Member("Image").Text()), .. ForeignJson.ComposeLabels(config?.Member("Labels"))],
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a hostconfig.json says that the container has no network namespace of its own.</summary>
    internal static bool UsesHostNetwork(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Member("NetworkMode").Text() == "host";
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
