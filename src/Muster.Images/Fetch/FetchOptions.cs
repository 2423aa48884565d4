using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>When a reference that the store already knows is looked for again (rkt's --pull-policy).</summary>
public enum PullPolicy
{
    /// <summary>Fetch what the store lacks. Local files and layouts are compared, which costs nothing.</summary>
    New,

    /// <summary>Ask the place again, and fetch what has changed.</summary>
    Update,

    /// <summary>Only what the store has.</summary>
    Never,
}

/// <summary>What a caller explicitly does without (rkt's --insecure-options).</summary>
[Flags]
public enum InsecureOptions
{
    None = 0,

    /// <summary>No signature is needed.</summary>
    Image = 1,

    /// <summary>Certificates of servers are not checked.</summary>
    Tls = 2,

    /// <summary>Plain http is allowed.</summary>
    Http = 4,

    /// <summary>Keys are fetched over plain http.</summary>
    PubKey = 8,

    /// <summary>All capabilities are kept.</summary>
    Capabilities = 16,

    /// <summary>Paths of /proc and /sys are not hidden.</summary>
    Paths = 32,

    /// <summary>No seccomp filter.</summary>
    Seccomp = 64,

    AllFetch = Image | Tls | Http | PubKey,

    AllRun = Capabilities | Paths | Seccomp,
}

/// <summary>How an image is fetched.</summary>
public sealed record FetchOptions
{
    public PullPolicy Pull { get; init; } = PullPolicy.New;

    public InsecureOptions Insecure { get; init; }

    /// <summary>A detached signature for an ACI, instead of the one beside it.</summary>
    public string? SignatureFile { get; init; }

    /// <summary>The platform wanted; null means this host.</summary>
    public OciPlatform? Platform { get; init; }

    /// <summary>Told, in a sentence, what the caller should know though the image is taken.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Told how many further bytes were read; called from several threads.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Reads the comma-separated words of <c>--insecure-options</c>.</summary>
    public static InsecureOptions ParseInsecure(IEnumerable<string> values)
    {
        var result = InsecureOptions.None;
        foreach (var word in values.SelectMany(v => v.Split(',')))
        {
            result |= word switch
            {
                "none" => InsecureOptions.None,
                "image" => InsecureOptions.Image,
                "tls" => InsecureOptions.Tls,
                "http" => InsecureOptions.Http,
                "pubkey" => InsecureOptions.PubKey,
                "capabilities" => InsecureOptions.Capabilities,
                "paths" => InsecureOptions.Paths,
                "seccomp" => InsecureOptions.Seccomp,
                "all-fetch" => InsecureOptions.AllFetch,
                "all-run" => InsecureOptions.AllRun,
                "all" => InsecureOptions.AllFetch | InsecureOptions.AllRun,
                _ => throw new MusterException(ErrorKind.Usage, $"--insecure-options={word} is not one of none, image, tls, http, pubkey, capabilities, paths, seccomp, all-fetch, all-run, all"),
            };
        }

        return result;
    }

    /// <summary>Reads <c>--pull-policy</c>.</summary>
    public static PullPolicy ParsePull(string? word) => word switch
    {
        null or "new" => PullPolicy.New,
        "update" => PullPolicy.Update,
        "never" => PullPolicy.Never,
        _ => throw new MusterException(ErrorKind.Usage, $"--pull-policy={word} is not one of new, update, never"),
    };
}
