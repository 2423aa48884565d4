using System.Text.Json;

namespace Muster.Images.Aci;

/// <summary>An image that another one is rendered upon (appc spec/aci.md, dependencies).</summary>
/// <param name="Name">AC Identifier.</param>
/// <param name="Id"><c>sha512-HEX</c>, perhaps shortened; null for any.</param>
/// <param name="Labels">Labels that the image must have.</param>
/// <param name="Size">The uncompressed size that it must have; null for any.</param>
public sealed record AciDependency(string Name, string? Id, IReadOnlyList<NameValue> Labels, long? Size)
{
    /// <summary>The reference by which it is looked for.</summary>
    public string Reference => ImageReference.ForAci(Name, Labels);

    /// <summary>Whether an image has this name and these labels.</summary>
    public bool Fits(string name, IReadOnlyList<NameValue> labels) => name == Name && Labels.All(labels.Contains);
}

/// <summary>A valid image manifest (appc spec/aci.md, Image Manifest Schema; version 0.8.11).</summary>
public sealed record AciManifest
{
    public required string Name { get; init; }

    public IReadOnlyList<NameValue> Labels { get; init; } = [];

    /// <summary>Null for an image that only others depend on.</summary>
    public AppTemplate? App { get; init; }

    public IReadOnlyList<AciDependency> Dependencies { get; init; } = [];

    /// <summary>Absolute paths; empty means that everything is kept.</summary>
    public IReadOnlyList<string> PathWhitelist { get; init; } = [];

    public IReadOnlyList<NameValue> Annotations { get; init; } = [];

    /// <summary>The manifest as it is written.</summary>
    public required JsonElement Json { get; init; }

    /// <summary>The value of the label <c>version</c>; null when absent.</summary>
    public string? Version => Label("version");

    /// <summary>The value of a label; null when absent.</summary>
    public string? Label(string name) => Labels.FirstOrDefault(l => l.Name == name)?.Value;

    /// <summary>The label <c>arch</c> in OCI's words; <c>amd64</c> when absent and this host is one.</summary>
    public string Architecture => Label("arch") switch
    {
        null => Oci.OciPlatform.Host.Architecture,
        "i386" => "386",
        "x86_64" => "amd64",
        "aarch64" or "aarch64_be" => "arm64",
        "armv6l" or "armv7l" or "armv7b" => "arm",
        { } other => other,
    };
}
