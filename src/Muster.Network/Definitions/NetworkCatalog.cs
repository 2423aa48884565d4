using System.Text.Json;
using Muster.Core;

namespace Muster.Network;

/// <summary>A network that can be joined: one of ours, or a CNI configuration list.</summary>
public sealed record KnownNetwork
{
    public required string Name { get; init; }

    /// <summary>The file that defines it; null for the built-in <c>default</c>.</summary>
    public string? File { get; init; }

    /// <summary>Our definition; null for CNI.</summary>
    public NetworkDefinition? Definition { get; init; }

    /// <summary>The CNI configuration list; null for ours.</summary>
    public CniConfiguration? Cni { get; init; }
}

/// <summary>The networks that <c>net.d</c> defines, and the built-in <c>default</c>.</summary>
public sealed class NetworkCatalog
{
    /// <summary>The network that pods join when nothing is asked.</summary>
    public const string DefaultName = "default";

    /// <summary>A definition is a handful of lines; CNI lists are a few kilobytes.</summary>
    public const int MaxFileBytes = 256 * 1024;

    /// <summary>More files than this in net.d are a mistake.</summary>
    public const int MaxFiles = 1000;

    private static readonly string[] OurExtensions = [".yaml", ".yml", ".json"];
    private readonly NetworkPaths _paths;

    /// <summary>The catalogue of a root.</summary>
    public NetworkCatalog(MusterRoot root) => _paths = new NetworkPaths(root);

    /// <summary>The network of a name; a refusal names what there is.</summary>
    public KnownNetwork Find(string name)
    {
        if (!NetworkDefinition.IsName(name))
        {
            // CNI names may have upper case, dots and underscores; they never become file names of ours.
            return FindCni(name) ?? throw NotFound(name);
        }

        foreach (var extension in OurExtensions)
        {
            var file = Path.Combine(_paths.Definitions, name + extension);
            if (File.Exists(file))
            {
                return new KnownNetwork { Name = name, File = file, Definition = Load(file) };
            }
        }

        return FindCni(name)
            ?? (name == DefaultName ? new KnownNetwork { Name = name, Definition = new NetworkDefinition { Name = name } } : throw NotFound(name));
    }

    /// <summary>Every network, by name; what cannot be read is told to <paramref name="warn"/>.</summary>
    public IReadOnlyList<KnownNetwork> List(Action<string> warn)
    {
        var found = new SortedDictionary<string, KnownNetwork>(StringComparer.Ordinal)
        {
            [DefaultName] = new KnownNetwork { Name = DefaultName, Definition = new NetworkDefinition { Name = DefaultName } },
        };
        foreach (var file in Files())
        {
            try
            {
                var extension = Path.GetExtension(file);
                if (OurExtensions.Contains(extension))
                {
                    var definition = Load(file);
                    found[definition.Name!] = new KnownNetwork { Name = definition.Name!, File = file, Definition = definition };
                }
                else if (extension is ".conf" or ".conflist")
                {
                    var cni = CniConfiguration.Parse(ReadLimited(file), file);
                    if (!found.TryGetValue(cni.Name, out var other) || other.File is null)
                    {
                        found[cni.Name] = new KnownNetwork { Name = cni.Name, File = file, Cni = cni };
                    }
                }
            }
            catch (MusterException e)
            {
                warn(e.Message);
            }
        }

        return [.. found.Values];
    }

    /// <summary>Writes <c>net.d/NAME.json</c>; refuses a name that is taken.</summary>
    public string Create(NetworkDefinition definition)
    {
        Refuse(definition, definition.Name ?? "");
        var name = definition.Name!;
        if (FindCni(name) is not null || OurExtensions.Any(e => File.Exists(Path.Combine(_paths.Definitions, name + e))))
        {
            throw new MusterException(ErrorKind.Conflict, $"Network {name} exists already: remove it with muster network rm {name}, or choose another name");
        }

        Directory.CreateDirectory(_paths.Definitions);
        var file = Path.Combine(_paths.Definitions, name + ".json");
        var beside = $"{file}.{Guid.NewGuid():n}.new";
        try
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(definition, NetworkDefinitionJson.Default.NetworkDefinition);
            File.WriteAllBytes(beside, [.. json, (byte)'\n']);
            File.Move(beside, file, overwrite: false);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new MusterException(ErrorKind.Conflict, $"Network {name} was just defined by another command: look at it with muster network inspect {name}", e);
        }
        finally
        {
            File.Delete(beside);
        }

        return file;
    }

    internal static NetworkDefinition Load(string file)
    {
        var text = ReadLimited(file);
        var definition = Path.GetExtension(file) == ".json"
            ? NetworkDefinitionText.ParseJson(text, file)
            : NetworkDefinitionText.ParseYaml(text, file);
        var name = Path.GetFileNameWithoutExtension(file);
        if (definition.Name is null)
        {
            definition = definition with { Name = name };
        }

        if (definition.Name != name)
        {
            throw new MusterException(ErrorKind.Invalid, $"{file} defines network \"{definition.Name}\" but is named after \"{name}\": rename the file or correct the name");
        }

        Refuse(definition, file);
        return definition;
    }

    private static void Refuse(NetworkDefinition definition, string where)
    {
        var problems = definition.Problems();
        if (problems.Count > 0)
        {
            throw new MusterException(ErrorKind.Invalid, $"Network {where} cannot be used: {string.Join("; ", problems)}");
        }
    }

    private static string ReadLimited(string file)
    {
        var length = new FileInfo(file).Length;
        return length <= MaxFileBytes
            ? File.ReadAllText(file)
            : throw new MusterException(ErrorKind.Invalid, $"{file} has {length} bytes, more than the {MaxFileBytes} of a network definition: remove it from net.d");
    }

    private KnownNetwork? FindCni(string name)
    {
        foreach (var file in Files())
        {
            if (Path.GetExtension(file) is not (".conf" or ".conflist"))
            {
                continue;
            }

            // Another list's fault must not hide this one: only a file that names the network may fail the call.
            var text = ReadLimited(file);
            if (CniConfiguration.NameOf(text) == name)
            {
                return new KnownNetwork { Name = name, File = file, Cni = CniConfiguration.Parse(text, file) };
            }
        }

        return null;
    }

    private IEnumerable<string> Files() => Directory.Exists(_paths.Definitions)
        ? Directory.EnumerateFiles(_paths.Definitions).Take(MaxFiles).Order(StringComparer.Ordinal)
        : [];

    private MusterException NotFound(string name)
    {
        var known = List(_ => { }).Select(n => n.Name);
        return new MusterException(ErrorKind.NotFound, $"Network {name} is not defined in {_paths.Definitions}: there are none, host, {string.Join(", ", known)}; make it with muster network create {name}");
    }
}
