using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Muster.Metrics.Rules;

/// <summary>
/// Carries out actions: log and syslog at once, webhooks from one queue for each address, so that a dead receiver delays
/// nobody else. A queue that is full loses its oldest event and says so.
/// </summary>
public sealed class RuleDelivery : IAsyncDisposable
{
    /// <summary>Events that wait for one webhook: an hour of a rule that fires every minute.</summary>
    private const int QueueLength = 64;

    /// <summary>The first try and what follows it.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(25)];

    /// <summary>At the end, events that still wait are given so long.</summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(5);

    // Facility daemon (3), severities warning and notice (RFC 3164, section 4.1.1).
    private const int Warning = (3 * 8) + 4;
    private const int Notice = (3 * 8) + 5;
    private const int MaxSyslog = 1024;

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly Dictionary<Uri, (Channel<(RuleEvent Event, TimeSpan Timeout)> Queue, Task Work)> _hooks = [];
    private readonly CancellationTokenSource _end = new();
    private readonly TimeProvider _time;
    private readonly Action<string> _log;
    private readonly string _syslog;

    /// <param name="time">The clock.</param>
    /// <param name="log">Takes a line of the log.</param>
    /// <param name="syslog">The socket of the host's log.</param>
    public RuleDelivery(TimeProvider time, Action<string> log, string syslog = "/dev/log") => (_time, _log, _syslog) = (time, log, syslog);

    /// <summary>Carries out every action for an event; never waits for a receiver.</summary>
    public void Deliver(RuleEvent news, IReadOnlyList<RuleAction> actions)
    {
        foreach (var action in actions)
        {
            switch (action.Kind)
            {
                case RuleActionKind.Log:
                    _log(Line(news.Message));
                    break;
                case RuleActionKind.Syslog:
                    SendToSyslog(news);
                    break;
                default:
                    Enqueue(news, action);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (queue, _) in _hooks.Values)
        {
            queue.Writer.TryComplete();
        }

        _end.CancelAfter(EndTime);
        await Task.WhenAll(_hooks.Values.Select(h => h.Work));
        _http.Dispose();
        _end.Dispose();
    }

    // Names of instances come from containers: one event is one line.
    private static string Line(string message) => string.Concat(message.Select(c => char.IsControl(c) ? ' ' : c));

    private void SendToSyslog(RuleEvent news)
    {
        var severity = news.State == RuleStanding.Firing ? Warning : Notice;
        var bytes = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<{severity}>muster[{Environment.ProcessId}]: {Line(news.Message)}"));
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.SendTo(bytes.AsSpan(0, Math.Min(bytes.Length, MaxSyslog)), new UnixDomainSocketEndPoint(_syslog));
        }
        catch (SocketException e)
        {
            _log($"{news.Rule} cannot be told to {_syslog}: {(File.Exists(_syslog) ? e.Message : "there is no such socket, so that no system log runs here")}");
        }
    }

    private void Enqueue(RuleEvent news, RuleAction action)
    {
        if (!_hooks.TryGetValue(action.Address!, out var hook))
        {
            var queue = Channel.CreateBounded<(RuleEvent, TimeSpan)>(
                new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
                lost => _log($"the webhook {action.Address} is too slow: an event of {lost.Item1.Rule} is lost"));
            _hooks.Add(action.Address!, hook = (queue, Task.Run(() => SendAllAsync(action.Address!, queue.Reader))));
        }

        hook.Queue.Writer.TryWrite((news, action.Timeout));
    }

    private async Task SendAllAsync(Uri address, ChannelReader<(RuleEvent Event, TimeSpan Timeout)> queue)
    {
        try
        {
            await foreach (var (news, timeout) in queue.ReadAllAsync(_end.Token))
            {
                var fault = "";
                var isSent = false;
                for (var i = 0; i < Pauses.Length && !isSent; i++)
                {
                    await Task.Delay(Pauses[i], _time, _end.Token);
                    (isSent, fault) = await SendAsync(address, news, timeout);
                }

                if (!isSent)
                {
                    _log($"the webhook {address} did not take an event of {news.Rule} in {Pauses.Length} tries: {fault}");
                }
            }
        }
        catch (OperationCanceledException)
        {
            _log($"the webhook {address} did not take all events before the end");
        }
    }

    private async Task<(bool IsSent, string Fault)> SendAsync(Uri address, RuleEvent news, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _end.Token);
        try
        {
            using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(news, RuleJson.Default.RuleEvent));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return (answer.IsSuccessStatusCode, $"it answered {(int)answer.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            return (false, e.Message);
        }
        catch (OperationCanceledException) when (!_end.IsCancellationRequested)
        {
            return (false, $"no answer within {timeout.TotalSeconds} s");
        }
    }
}
