using System.Globalization;
using System.Security.Cryptography;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Door;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>An answer of the REST interface: a status and JSON.</summary>
public sealed record PmapiAnswer(int Status, ReadOnlyMemory<byte> Json);

/// <summary>
/// PCP's REST interface, <c>/pmapi/*</c> (PMWEBAPI(3)): contexts with a container, a profile and derived metrics, which end
/// when nobody has used them for their poll timeout. It answers for this node alone.
/// </summary>
public sealed class PmapiContexts(DoorState door)
{
    /// <summary>
    /// Dashboards open one for each panel. Beyond this the one that was not used for longest is forgotten: its owner makes another,
    /// as after its time-out, and whoever makes thousands keeps nobody out.
    /// </summary>
    public const int MaxContexts = 1000;

    /// <summary>
    /// Characters of the derived metrics of all contexts, each of which takes seventy bytes in memory once it is bound. Beyond it,
    /// too, those go that were not used for longest.
    /// </summary>
    public const int MaxDerivedText = 512 * 1024;

    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPatience = TimeSpan.FromHours(1);

    private readonly Lock _guard = new();
    private readonly Dictionary<int, PmapiContext> _contexts = [];
    private long _uses;

    /// <summary>How many are alive.</summary>
    public int Count
    {
        get
        {
            lock (_guard)
            {
                RemoveOld();
                return _contexts.Count;
            }
        }
    }

    /// <summary>Answers one request. <paramref name="path"/> is what follows <c>/pmapi/</c>: <c>context</c>, <c>fetch</c> or <c>123/fetch</c>.</summary>
    public PmapiAnswer Answer(string path, IReadOnlyDictionary<string, string> parameters, MetricView view)
    {
        int? id = null;
        try
        {
            var slash = path.IndexOf('/', StringComparison.Ordinal);
            if ((slash > 0 ? path[..slash] : parameters.GetValueOrDefault("context")) is { } number && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var given))
            {
                id = given;
            }

            var verb = slash > 0 ? path[(slash + 1)..] : path;
            if (verb == "ping")
            {
                return new PmapiAnswer(200, PmapiJson.Success(null));
            }

            var context = Take(id, parameters, view);
            id = context.Id;
            PmapiAnswer answer;
            lock (context)
            {
                var request = new PmapiRequest(door, context, parameters);
                answer = new PmapiAnswer(200, verb switch
                {
                    "context" => request.Describe(),
                    "metric" => request.Metrics(),
                    "fetch" => request.Fetch(),
                    "indom" => request.Instances(),
                    "children" => request.Children(),
                    "profile" => request.Profile(),
                    "store" => request.Store(),
                    "derive" => request.Derive(),
                    _ => throw new MusterException(ErrorKind.NotFound, $"there is no /pmapi/{verb}: there are context, metric, fetch, indom, children, profile, store and derive"),
                });
            }

            if (verb == "derive")
            {
                MakeRoom(context);
            }

            return answer;
        }
        catch (MusterException e)
        {
            return new PmapiAnswer(e.Kind == ErrorKind.Forbidden ? 403 : 400, PmapiJson.Failure(id, e.Message));
        }
    }

    // A request without a context makes one, as pmproxy does.
    private PmapiContext Take(int? id, IReadOnlyDictionary<string, string> parameters, MetricView view)
    {
        lock (_guard)
        {
            RemoveOld();
            if (id is { } known)
            {
                if (!_contexts.TryGetValue(known, out var context))
                {
                    // Dashboards look for these words and then make a new one.
                    throw new MusterException(ErrorKind.NotFound, $"unknown context identifier: {known}");
                }

                Use(context);
                return context;
            }

            var made = Make(parameters, view);
            if (_contexts.Count > MaxContexts)
            {
                _contexts.Remove(_contexts.Values.MinBy(c => c.LastUse)!.Id);
            }

            return made;
        }
    }

    private PmapiContext Make(IReadOnlyDictionary<string, string> parameters, MetricView view)
    {
        var patience = DefaultPatience;
        if (parameters.TryGetValue("polltimeout", out var text))
        {
            patience = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= LongestPatience.TotalSeconds
                ? TimeSpan.FromSeconds(seconds)
                : throw new MusterException(ErrorKind.Invalid, $"polltimeout={text} is no number of seconds up to {LongestPatience.TotalSeconds}");
        }

        var host = parameters.GetValueOrDefault("hostspec") ?? parameters.GetValueOrDefault("hostname") ?? "local:";
        var container = HostSpec.Container(host);
        var number = 0;
        while (number == 0 || _contexts.ContainsKey(number))
        {
            // Not to be guessed: whoever knows the number sees with the eyes of its maker.
            number = RandomNumberGenerator.GetInt32(1, int.MaxValue);
        }

        var context = new PmapiContext(number, host, patience, view with { Container = container, Client = new ClientMemory() }, door.Time);
        Use(context);
        _contexts.Add(number, context);
        return context;
    }

    private void MakeRoom(PmapiContext deriving)
    {
        lock (_guard)
        {
            var text = _contexts.Values.Sum(c => (long)c.DerivedText);
            foreach (var context in _contexts.Values.Where(c => c.DerivedText > 0 && c != deriving).OrderBy(c => c.LastUse).TakeWhile(_ => text > MaxDerivedText).ToList())
            {
                _contexts.Remove(context.Id);
                text -= context.DerivedText;
            }
        }
    }

    private void Use(PmapiContext context) => (context.LastUse, context.Expires) = (++_uses, door.Time.GetUtcNow() + context.Patience);

    private void RemoveOld()
    {
        var now = door.Time.GetUtcNow();
        foreach (var (number, _) in _contexts.Where(c => c.Value.Expires < now).ToList())
        {
            _contexts.Remove(number);
        }
    }
}

/// <summary>One context of the REST interface. Locked while a request uses it.</summary>
internal sealed class PmapiContext(int id, string host, TimeSpan patience, MetricView view, TimeProvider time)
{
    /// <summary>A dashboard's panel has a handful.</summary>
    public const int MaxDerived = 100;

    /// <summary>Characters of their expressions: four of the longest that are read.</summary>
    public const int MaxDerivedText = 16 * 1024;

    private (MetricNames Door, int Count, MetricNames All)? _names;

    public int Id => id;

    public string Host => host;

    public TimeSpan Patience => patience;

    public DateTimeOffset Expires { get; set; }

    /// <summary>Grows with every use of any context.</summary>
    public long LastUse { get; set; }

    public MetricView View { get; set; } = view;

    public PmapiProfile Profile { get; } = new();

    /// <summary>Metrics that this context derives; each new one is known from its request on.</summary>
    public DerivedDefinitions Derived { get; } = new(time);

    /// <summary>Characters of their names and expressions now; read by other requests, too.</summary>
    public int DerivedText { get; set; }

    /// <summary>The metrics of the door with those of this context.</summary>
    public MetricNames Names(MetricNames door)
    {
        if (_names is not { } names || names.Door != door || names.Count != Derived.Count)
        {
            _names = names = (door, Derived.Count, door.With(Derived));
        }

        return names.All;
    }
}

/// <summary>PCP's host specifications, as far as they can mean this node (PCPIntro(1)).</summary>
internal static class HostSpec
{
    /// <summary>The container that a specification names, or null; another host's is refused.</summary>
    public static string? Container(string text)
    {
        var query = text.IndexOf('?', StringComparison.Ordinal);
        var host = query < 0 ? text : text[..query];
        var colon = host.IndexOf("://", StringComparison.Ordinal);
        var isSocket = host.StartsWith("local:", StringComparison.Ordinal) || host.StartsWith("unix:", StringComparison.Ordinal);
        host = colon < 0 ? host : host[(colon + 3)..];
        host = host.EndsWith(']') ? host : host.LastIndexOf(':') is var port and > 0 ? host[..port] : host;
        if (!isSocket && host is not ("localhost" or "127.0.0.1" or "[::1]" or "::1" or "") && host != HostFacts.HostName)
        {
            throw new MusterException(ErrorKind.Invalid, $"cannot connect to PMCD: {host} is another host, and this door answers for {HostFacts.HostName} alone");
        }

        foreach (var part in query < 0 ? [] : text[(query + 1)..].Split('&'))
        {
            if (part.StartsWith("container=", StringComparison.Ordinal))
            {
                return Uri.UnescapeDataString(part["container=".Length..]) is { Length: > 0 } name ? name : null;
            }
        }

        return null;
    }
}
