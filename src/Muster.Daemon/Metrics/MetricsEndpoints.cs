using Microsoft.AspNetCore.Routing;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Daemon.Metrics;

/// <summary>The HTTP face of metrics: <c>/metrics</c> for scrapers, <c>/pmapi</c> for PCP's dashboards.</summary>
internal static class MetricsEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, Lazy<DoorState> door, Lazy<PmapiContexts> contexts, MetricView view)
    {
        // HEAD, by which proxies and probes look whether a scrape would succeed, has the same head and no body.
        routes.MapMethods("/metrics", ["GET", "HEAD"], (RequestDelegate)(context => ScrapeAsync(context, door.Value, view)));
        routes.MapMethods("/pmapi/{**path}", ["GET", "POST"], (RequestDelegate)(context => AnswerAsync(context, contexts.Value, view)));
    }

    private static async Task ScrapeAsync(HttpContext context, DoorState door, MetricView view)
    {
        var format = MetricScrape.Negotiate(context.Request.Headers.Accept.ToString());
        var names = context.Request.Query["names"].SelectMany(n => (n ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        if (context.Request.Query["container"].ToString() is { Length: > 0 } container)
        {
            view = view with { Container = container };
        }

        try
        {
            await MetricScrape.WriteAsync(door, names, view, format, async (piece, isLast) =>
            {
                if (!context.Response.HasStarted)
                {
                    context.Response.ContentType = MetricScrape.ContentType(format);
                    context.Response.ContentLength = isLast ? piece.Length : null;
                }

                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            }, context.RequestAborted);
        }
        catch (MusterException e)
        {
            context.Response.StatusCode = e.Kind switch { ErrorKind.NotFound => 404, ErrorKind.Exhausted => 503, _ => 400 };
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(e.Message + "\n", context.RequestAborted);
        }
    }

    private static async Task AnswerAsync(HttpContext context, PmapiContexts contexts, MetricView view)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in context.Request.Query)
        {
            parameters[name] = value.ToString();
        }

        if (context.Request.HasFormContentType)
        {
            foreach (var (name, value) in await context.Request.ReadFormAsync(context.RequestAborted))
            {
                parameters[name] = value.ToString();
            }
        }

        var answer = contexts.Answer(context.Request.RouteValues["path"] as string ?? "", parameters, view);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Json.Length;
        await context.Response.Body.WriteAsync(answer.Json, context.RequestAborted);
    }
}
