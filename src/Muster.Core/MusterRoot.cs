namespace Muster.Core;

/// <summary>
/// Where everything of one Muster lives: <c>/etc/muster</c>, <c>/run/muster</c> and <c>/var/lib/muster</c>, or
/// <c>DIR/etc</c>, <c>DIR/run</c> and <c>DIR/var</c> under <c>--root DIR</c>. Only computes paths; touches nothing.
/// </summary>
public sealed class MusterRoot
{
    /// <summary>Makes the layout under <paramref name="realDirectory"/> (a resolved absolute path), or the system's for null.</summary>
    public MusterRoot(string? realDirectory)
    {
        Directory = realDirectory;
        if (realDirectory is null)
        {
            Etc = "/etc/muster";
            Run = "/run/muster";
            Var = "/var/lib/muster";
            Tag = "";
        }
        else
        {
            Etc = Path.Combine(realDirectory, "etc");
            Run = Path.Combine(realDirectory, "run");
            Var = Path.Combine(realDirectory, "var");
            Tag = Convert.ToHexStringLower(NameHash.Sha256(realDirectory))[..6];
        }
    }

    /// <summary>The <c>--root</c> directory, or null for the system root.</summary>
    public string? Directory { get; }

    /// <summary>True for <c>/etc/muster</c>, <c>/run/muster</c>, <c>/var/lib/muster</c>.</summary>
    public bool IsSystem => Directory is null;

    /// <summary>Six hex digits that mark what the kernel shares between roots; empty for the system root.</summary>
    public string Tag { get; }

    /// <summary>Configuration, trusted keys, policy, network definitions.</summary>
    public string Etc { get; }

    /// <summary>What a reboot loses: sockets, locks, leases, network namespaces.</summary>
    public string Run { get; }

    /// <summary>What a reboot keeps: images and pods.</summary>
    public string Var { get; }

    /// <summary><c>var/images</c>: blobs, trees, refs.</summary>
    public string Images => Path.Combine(Var, "images");

    /// <summary><c>var/pods</c>: one folder per state, one pod directory per UUID inside.</summary>
    public string Pods => Path.Combine(Var, "pods");

    /// <summary>The name that tables, cgroups and the like of this root carry: <c>muster</c> or <c>muster_TAG</c>.</summary>
    public string NftTable => IsSystem ? "muster" : "muster_" + Tag;

    /// <summary>The parent of every cgroup of this root, with a leading slash.</summary>
    public string Cgroup => IsSystem ? "/muster" : "/muster-" + Tag;

    /// <summary>The folder that holds one bind-mounted network namespace file per pod.</summary>
    public string NetworkNamespaces => Path.Combine(Run, "netns");

    /// <summary>Names a link of this root: <c>mst</c>, the tag, and <paramref name="rest"/>; at most 15 characters (IFNAMSIZ - 1).</summary>
    public string LinkName(string rest)
    {
        var name = "mst" + Tag + rest;
        return name.Length <= 15
            ? name
            : throw new ArgumentException($"Link name {name} is longer than 15 characters", nameof(rest));
    }

    /// <summary>The arguments that make another Muster program use this root.</summary>
    public IReadOnlyList<string> Arguments => IsSystem ? [] : ["--root", Directory!];
}
