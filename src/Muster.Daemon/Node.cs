using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Connections.Features;
using Muster.Core;

namespace Muster.Daemon;

/// <summary>The composition root of a node: the door, the parts behind it, and their health.</summary>
public static partial class Node
{
    /// <summary>The largest request body taken where a part sets no limit of its own.</summary>
    private const long MaxBody = 4 * 1024 * 1024;

    private static readonly Dictionary<string, string> Health = new(StringComparer.Ordinal);

    /// <summary>Runs until it is told to stop; containers run on.</summary>
    public static async Task<int> RunAsync(DaemonOptions options)
    {
        var builder = HttpServers.NewBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            kestrel.ListenUnixSocket(options.Socket, listen => listen.Use(PeerCheck.Admit));
        });
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, NodeJson.Default));
        try
        {
            PrepareSocket(options);
            var app = builder.Build();
            var parts = NodeParts.For(options, TimeProvider.System);
            MapHealth(app);
            foreach (var part in parts)
            {
                part.Map?.Invoke(app);
            }

            await app.StartAsync();
            PeerCheck.OpenToGroup(options.Socket);
            SystemdNotification.Send("READY=1");
            await RunPartsAsync(app, parts);
            SystemdNotification.Send("STOPPING=1");
            await app.StopAsync();
            File.Delete(options.Socket);
            return 0;
        }
        catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("musterd: " + e.Message);
            return 254;
        }
    }

    private static void PrepareSocket(DaemonOptions options)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(options.Socket)!);
        if (!File.Exists(options.Socket))
        {
            return;
        }

        using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        try
        {
            probe.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(options.Socket));
        }
        catch (System.Net.Sockets.SocketException)
        {
            // A daemon that was killed left its socket file.
            File.Delete(options.Socket);
            return;
        }

        throw new MusterException(ErrorKind.Conflict, $"Another musterd answers on {options.Socket}: stop it first, or choose another --root");
    }

    private static void MapHealth(WebApplication app) => app.MapGet("/health", () =>
    {
        lock (Health)
        {
            var parts = new Dictionary<string, string>(Health, StringComparer.Ordinal);
            var report = new HealthReport(parts.Values.All(v => v == "ok") ? "ok" : "degraded", Environment.ProcessId, parts);
            return Results.Json(report, NodeJson.Default.HealthReport, statusCode: report.Status == "ok" ? 200 : 503);
        }
    });

    private static async Task RunPartsAsync(WebApplication app, IReadOnlyList<NodePart> parts)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        var running = parts.Where(p => p.RunAsync is not null).Select(part => Task.Run(() => RunPartAsync(part, app.Logger, stopping), CancellationToken.None)).ToList();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await Task.WhenAll(running);
    }

    private static async Task RunPartAsync(NodePart part, ILogger logger, CancellationToken ct)
    {
        // A part that fails is started again, ever more slowly; the others do not notice.
        for (var pause = TimeSpan.FromSeconds(1); !ct.IsCancellationRequested; pause = pause * 2 > TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : pause * 2)
        {
            try
            {
                Report(part, "ok");
                await part.RunAsync!(ct);
                return;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of a background loop: whatever it was is logged and shown.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Report(part, e.Message);
                if (e is MusterException)
                {
                    // The configuration, an address, a file: the sentence says it all.
                    PartRefused(logger, part.Name, e.Message);
                }
                else
                {
                    PartFailed(logger, part.Name, e);
                }

                await Task.Delay(pause, TimeProvider.System, ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    private static void Report(NodePart part, string health)
    {
        lock (Health)
        {
            Health[part.Name] = health;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Part {Part} failed and is started again")]
    private static partial void PartFailed(ILogger logger, string part, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Part {Part} cannot work and tries again: {Why}")]
    private static partial void PartRefused(ILogger logger, string part, string why);
}

/// <summary>What <c>GET /health</c> answers: 200 when every part is well, else 503.</summary>
public sealed record HealthReport(string Status, int Pid, IReadOnlyDictionary<string, string> Parts);

/// <summary>Source-generated JSON of the daemon's own paths.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class NodeJson : JsonSerializerContext;
