using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Muster.Metrics.Rules;

namespace Muster.Daemon.Metrics;

/// <summary><c>/metrics/rules</c>: where each rule stands, as JSON.</summary>
internal static class RuleEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, Func<IReadOnlyList<RuleStatus>> rules) =>
        routes.MapGet("/metrics/rules", (RequestDelegate)(async context =>
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(rules(), RuleJson.Default.IReadOnlyListRuleStatus);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }));
}
