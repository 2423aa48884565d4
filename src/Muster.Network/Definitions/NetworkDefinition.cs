using System.Net;
using System.Text.Json.Serialization;
using Muster.Core;

namespace Muster.Network;

/// <summary>
/// A network as its owner wrote it: <c>net.d/NAME.yaml</c> (or <c>.json</c>). What is left out is chosen when the network is
/// first used and stays that way.
/// </summary>
/// <param name="Nat">Whether pods reach the world under the host's address (masquerading).</param>
/// <param name="Dns">Whether a name server answers the names of pods.</param>
public sealed record NetworkDefinition(bool Nat = true, bool Dns = true)
{
    /// <summary>Longest name: it becomes file names and appears in error messages and DNS logs.</summary>
    public const int MaxNameLength = 63;

    /// <summary>Most prefixes: one of each family.</summary>
    public const int MaxSubnets = 2;

    /// <summary>The name; equal to the file's.</summary>
    public string? Name { get; init; }

    /// <summary>The bridge's link name; left out, one with the root's tag.</summary>
    public string? Bridge { get; init; }

    /// <summary>Prefixes in CIDR form, at most one of each family; left out, the first free /24 of 10.209.0.0/16 and a ULA /64.</summary>
    public IReadOnlyList<string>? Subnets { get; init; }

    /// <summary>The largest packet, 0 for the kernel's 1500.</summary>
    public int Mtu { get; init; }

    /// <summary>All that is wrong with it; empty when it can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (!IsName(Name))
        {
            problems.Add($"name \"{Name}\" must be lower-case letters, digits and single dashes, at most {MaxNameLength} characters");
        }
        else if (Name is "none" or "host")
        {
            problems.Add($"name \"{Name}\" is reserved");
        }

        if (Bridge is not null && !IsLinkName(Bridge))
        {
            problems.Add($"bridge \"{Bridge}\" must be 1 to 15 letters, digits, dashes, dots or underscores");
        }

        if (Mtu != 0 && Mtu is < 1280 or > 65535)
        {
            problems.Add($"mtu {Mtu} is not from 1280 (IPv6's least) to 65535");
        }

        if (Subnets is not null)
        {
            SubnetProblems(Subnets, problems);
        }

        return problems;
    }

    internal static bool IsName(string? name) => AcName.IsName(name) && name!.Length <= MaxNameLength;

    internal static bool IsLinkName(string name) =>
        name.Length is > 0 and <= 15 && name is not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');

    // What the kernel gives to no link, or to every one.
    private static readonly (Subnet Prefix, string Use)[] Reserved =
    [
        (Subnet.Of(IPAddress.Parse("0.0.0.0"), 8), "of no network"),
        (Subnet.Of(IPAddress.Parse("127.0.0.0"), 8), "the loopback's"),
        (Subnet.Of(IPAddress.Parse("224.0.0.0"), 4), "for multicast"),
        (Subnet.Of(IPAddress.Parse("::"), 8), "of no network"),
        (Subnet.Of(IPAddress.Parse("fe80::"), 10), "every link's own"),
        (Subnet.Of(IPAddress.Parse("ff00::"), 8), "for multicast"),
    ];

    private static void SubnetProblems(IReadOnlyList<string> texts, List<string> problems)
    {
        if (texts.Count is 0 or > MaxSubnets)
        {
            problems.Add("subnets must list one IPv4 prefix, one IPv6 prefix, or one of each");
            return;
        }

        var families = new HashSet<bool>();
        foreach (var text in texts)
        {
            if (!Subnet.TryParse(text, out var subnet))
            {
                problems.Add($"subnet \"{text}\" is not a prefix such as 10.20.0.0/24 or fd00:1::/64 with its host bits zero");
            }
            else if (subnet.PrefixLength < 8 || subnet.PrefixLength > (subnet.IsV6 ? 120 : 29))
            {
                problems.Add($"subnet {subnet} must have a prefix length from 8 to {(subnet.IsV6 ? 120 : 29)}, to leave room for pods");
            }
            else if (Reserved.FirstOrDefault(r => r.Prefix.Overlaps(subnet)) is { Use: not null } reserved)
            {
                problems.Add($"subnet {subnet} is {reserved.Use}: choose a private one such as {(subnet.IsV6 ? "fd00:1::/64" : "10.20.0.0/24")}");
            }
            else if (!families.Add(subnet.IsV6))
            {
                problems.Add("subnets must be of different families");
            }
        }
    }
}

/// <summary>A network with everything chosen, as it is on the host: <c>networks/NAME.json</c>.</summary>
public sealed record ManagedNetwork(bool Nat = true, bool Dns = true)
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required string Name { get; init; }

    public required string Bridge { get; init; }

    public required IReadOnlyList<string> Subnets { get; init; }

    public int Mtu { get; init; }

    /// <summary>The prefixes, parsed.</summary>
    [JsonIgnore]
    public IReadOnlyList<Subnet> Prefixes => [.. Subnets.Select(text => Subnet.TryParse(text, out var subnet)
        ? subnet
        : throw new MusterException(ErrorKind.Corrupt, $"Network {Name} has the damaged prefix \"{text}\": run muster network rm {Name} and define it again"))];

    /// <summary>The bridge's alias: by it, a bridge of an older definition is told apart.</summary>
    [JsonIgnore]
    public string Alias => $"muster network {Name} {string.Join(' ', Subnets)} mtu {Mtu}";
}
