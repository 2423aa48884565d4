using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Daemon.Metrics;

/// <summary>
/// A web server of its own for scrapers on TCP, apart from the node's door: it has nothing but metrics, and those without
/// what only a known peer may see.
/// </summary>
internal static class MetricsHttp
{
    // Scrapers and dashboards, not the public.
    private const int MaxConnections = 100;

    // A proxy before many dashboards comes from one address, and leaves others half.
    private const int MaxConnectionsOfAddress = MaxConnections / 2;

    // A request is one small packet; who sends it byte by byte holds a place.
    private static readonly TimeSpan HeadersPatience = TimeSpan.FromSeconds(10);

    private const int MaxBody = 64 * 1024;

    // Bytes a second: who takes a scrape more slowly than an old modem is cut off.
    private const double SlowestReader = 4096;

    /// <summary>Opens the address; disposing closes it.</summary>
    public static async Task<WebApplication> StartAsync(IPEndPoint address, Lazy<DoorState> door, Lazy<PmapiContexts> contexts, CancellationToken ct)
    {
        var builder = HttpServers.NewBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.Limits.MinResponseDataRate = new MinDataRate(SlowestReader, TimeSpan.FromSeconds(10));
            kestrel.Limits.RequestHeadersTimeout = HeadersPatience;
            kestrel.Listen(address, listen => listen.Use(new AddressLimit(MaxConnectionsOfAddress).Bound));
        });
        var app = builder.Build();
        MetricsEndpoints.Map(app, door, contexts, new MetricView());
        try
        {
            await app.StartAsync(ct);
            return app;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync();
            throw new MusterException(ErrorKind.Conflict, $"The metrics cannot be served on http://{address}: {e.Message} Choose another metrics.listen-http", e);
        }
    }
}
