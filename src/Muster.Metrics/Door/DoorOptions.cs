using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Metrics.Door;

/// <summary>Where the door listens and whom it believes.</summary>
public sealed record DoorOptions
{
    /// <summary>PCP's own port.</summary>
    public const int DefaultPort = 44321;

    /// <summary>The folder of the Unix socket; null for none.</summary>
    public string? SocketFolder { get; init; }

    public string SocketName { get; init; } = "pmcd.socket";

    /// <summary>The TCP address; null for none. Port 0 lets the kernel choose.</summary>
    public IPEndPoint? Tcp { get; init; }

    /// <summary>True where a busy port is a warning and the socket alone is served.</summary>
    public bool IsTcpOptional { get; init; }

    /// <summary>The certificate with its key; TLS is offered when there is one.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Certificates of the authorities between it and the one that clients know; they are shown with it.</summary>
    public X509Certificate2Collection Intermediates { get; init; } = [];

    /// <summary>SHA-256 fingerprints of the client certificates whose owners have root's rights on metrics.</summary>
    public IReadOnlySet<string> TrustedClients { get; init; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Connections at once on one of the two listeners, so that a flood on one leaves the other open.</summary>
    public int MaxConnections { get; init; } = 512;

    /// <summary>Connections of one user on the Unix socket, root excepted: nobody may keep the others out.</summary>
    public int MaxConnectionsOfUser { get; init; } = 64;

    /// <summary>Connections of one address over TCP: half, so that no host keeps the others out. A proxy before many dashboards comes from one.</summary>
    public int MaxConnectionsOfAddress { get; init; } = 256;

    /// <summary>How long a connection may take until it has sent its credentials, and for the TLS handshake.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer may wait for a client that does not read.</summary>
    public TimeSpan SendPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of answers that may wait for slow clients, all together; a client beyond it is told to ask again.</summary>
    public long MaxPending { get; init; } = 256L * 1024 * 1024;
}
