namespace Muster.Images.Http;

/// <summary>What the caller allows when something is fetched: secure unless said otherwise, per call.</summary>
public sealed record WebOptions
{
    /// <summary>Plain HTTP is taken where HTTPS does not answer: <c>--insecure-options=http</c>.</summary>
    public bool AllowHttp { get; init; }

    /// <summary>Certificates are not checked: <c>--insecure-options=tls</c>.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>How long a server may send nothing before it is given up.</summary>
    public TimeSpan Stall { get; init; } = WebLimits.Stall;

    /// <summary>How long to wait before the first of the further tries; doubled each time.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>The limits of everything that is fetched, each with its reason.</summary>
public static class WebLimits
{
    /// <summary>Registries compute some answers for several seconds; half a minute of silence is a dead peer.</summary>
    public static readonly TimeSpan Stall = TimeSpan.FromSeconds(30);

    /// <summary>After the last byte of an upload a registry reads it all again before it answers.</summary>
    public static readonly TimeSpan UploadCommit = TimeSpan.FromMinutes(5);

    /// <summary>A connection that takes longer will not become a useful one.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(15);

    /// <summary>For small documents as a whole, so that a trickle of bytes cannot hold a command for ever.</summary>
    public static readonly TimeSpan SmallDocument = TimeSpan.FromMinutes(2);

    /// <summary>A server that asks for more patience than this is reported instead of waited for.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(60);

    /// <summary>Tries of one request, the first included.</summary>
    public const int MaxTries = 4;

    /// <summary>Tries where not even a connection comes about: more would only keep the user waiting for the reason.</summary>
    public const int MaxConnectionTries = 2;

    /// <summary>Registries send one redirect, mirrors two; more is a circle.</summary>
    public const int MaxRedirects = 5;

    /// <summary>Of a response's headers, in KiB: servers stay below 8.</summary>
    public const int MaxHeaderKib = 64;

    /// <summary>Times that a download is taken up again for nothing: for less than <see cref="LeastRate"/>, or a second's worth of it where the connection broke.</summary>
    public const int MaxResumes = 5;

    /// <summary>Bytes a second below which a transfer is given up: a modem is faster, and a gibibyte would take twelve days.</summary>
    public const int LeastRate = 1000;

    /// <summary>Time that is waited for a server before its rate is judged, so that pauses and slow beginnings do not count.</summary>
    public static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that come in a <see cref="RateWindow"/> at the least.</summary>
    public static long LeastInWindow => LeastRate * (long)RateWindow.TotalSeconds;

    /// <summary>A manifest or index (distribution-spec asks registries to take at least this).</summary>
    public const int MaxManifestBytes = 4 << 20;

    /// <summary>A signature, token or error document.</summary>
    public const int MaxSmallBytes = 1 << 20;
}
