using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Metadata;

/// <summary>
/// The metadata service of a root: registration on a Unix socket for root, answers on the gateways of the pods' networks.
/// It lives as long as pods are registered; a registration is a file, so that a service that was killed can be started anew.
/// </summary>
public sealed class MetadataServer : IDisposable
{
    /// <summary>Connections at once on one address; pods ask a few times at their start.</summary>
    public const int MaxConnections = 64;

    /// <summary>Connections at once from one pod.</summary>
    public const int MaxConnectionsOfPod = 8;

    /// <summary>Pods registered at once.</summary>
    public const int MaxPods = 10_000;

    // A client that says nothing for this long is cut off.
    private static readonly TimeSpan ConnectionPatience = TimeSpan.FromSeconds(10);

    // Whoever started the service registers at once; if it was killed before, the service ends.
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(30);

    private readonly MetadataPaths _paths;
    private readonly TimeProvider _time;
    private readonly Lock _guard = new();
    private readonly Dictionary<Guid, Registration> _byPod = [];
    private readonly Dictionary<string, Registration> _byToken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Socket> _listeners = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _loops = [];

    /// <summary>The service of a root.</summary>
    public MetadataServer(MusterRoot root, TimeProvider time)
    {
        _paths = new MetadataPaths(root);
        _time = time;
    }

    /// <summary>Serves until the last pod has gone, or <paramref name="ct"/>. Ends at once when a service runs already.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        _paths.Make();
        var alone = DescriptorLock.Open(_paths.ServiceLock, create: true);
        try
        {
            if (!DescriptorLock.TryAcquire(alone))
            {
                throw new MusterException(ErrorKind.Busy, "The metadata service of this root runs already: it ends by itself with the last registered pod");
            }

            await using var asked = ct.Register(_end.Cancel);
            Load();
            using var door = new Socket(new SafeSocketHandle(UnixSockets.Listen(_paths.Folder, MetadataPaths.SocketName), ownsHandle: true));
            lock (_guard)
            {
                _loops.Add(AcceptAsync(door, RegisterAnswer));
            }

            using var first = new CancellationTokenSource(FirstPatience, _time);
            await using var unused = first.Token.Register(EndIfIdle);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _time, _end.Token);
            }
            catch (OperationCanceledException)
            {
                // The last pod has gone, or somebody asked us to end.
            }

            Task[] loops;
            lock (_guard)
            {
                File.Delete(Path.Combine(_paths.Folder, MetadataPaths.SocketName));
                loops = [.. _loops];
            }

            await Task.WhenAll(loops);
        }
        finally
        {
            Descriptors.Close(alone);
        }
    }

    /// <summary>Asks <see cref="RunAsync"/> to end; registrations stay for the next service.</summary>
    public void Stop() => _end.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_guard)
        {
            foreach (var listener in _listeners.Values)
            {
                listener.Dispose();
            }
        }

        _end.Dispose();
    }

    private void Load()
    {
        foreach (var file in Directory.EnumerateFiles(_paths.Pods, "*.json"))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(file), MetadataJson.Default.Registration) is { Version: Registration.CurrentVersion } registration)
                {
                    Listen(registration.Pod.ServiceAddress, registration.Port);
                    _byPod[registration.Pod.Pod] = registration;
                    _byToken[registration.Token] = registration;
                }
            }
            catch (Exception e) when (e is JsonException or IOException or MusterException or FormatException)
            {
                // One damaged file, or an address that went with its network, must not keep the others from being served.
                Log($"{Path.GetFileName(file)} is left out: {Reason(e)}");
            }
        }
    }

    private void EndIfIdle()
    {
        lock (_guard)
        {
            if (_byPod.Count == 0)
            {
                File.Delete(Path.Combine(_paths.Folder, MetadataPaths.SocketName));
                _end.Cancel();
            }
        }
    }

    // One listener an address; pods of one network share it.
    private int Listen(string address, int port)
    {
        lock (_guard)
        {
            if (_listeners.TryGetValue(address, out var there))
            {
                return ((IPEndPoint)there.LocalEndPoint!).Port;
            }

            var at = IPAddress.Parse(address);
            var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(at, port));
                socket.Listen(MaxConnections);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new MusterException(ErrorKind.Conflict, $"The metadata service cannot listen on {address} port {port} ({e.Message}): see what holds it with ss -ltnp", e);
            }

            _listeners.Add(address, socket);
            _loops.Add(AcceptAsync(socket, PodAnswer));
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
    }

    private HttpAnswer PodAnswer(HttpRequest request, IPAddress? from)
    {
        lock (_guard)
        {
            return MetadataAnswers.To(request, from!, _byToken, pod => _byPod.GetValueOrDefault(pod));
        }
    }

    /// <summary>The registration protocol: <c>PUT /pods/UUID</c>, <c>DELETE /pods/UUID</c>, <c>GET /pods</c>. The socket's mode admits root only.</summary>
    private HttpAnswer RegisterAnswer(HttpRequest request, IPAddress? from)
    {
        _ = from;
        if (request is { Method: "GET", Target: "/pods" })
        {
            lock (_guard)
            {
                return HttpAnswer.Of(200, string.Concat(_byPod.Keys.Select(k => k + "\n")));
            }
        }

        if (!request.Target.StartsWith("/pods/", StringComparison.Ordinal) || !Guid.TryParse(request.Target.AsSpan(6), out var pod))
        {
            return HttpAnswer.Of(404, "no such path\n");
        }

        try
        {
            return request.Method switch
            {
                "PUT" => Register(pod, request.Body),
                "DELETE" => Unregister(pod),
                _ => HttpAnswer.Of(405, "only PUT and DELETE\n"),
            };
        }
        catch (Exception e) when (e is JsonException or MusterException or IOException)
        {
            return new HttpAnswer(e is MusterException { Kind: ErrorKind.Conflict } ? 409 : 400, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(Reason(e)));
        }
    }

    private static string Reason(Exception e) => e is JsonException fault ? JsonFault.Of(fault) : e.Message;

    private HttpAnswer Register(Guid pod, byte[] body)
    {
        var data = JsonSerializer.Deserialize(body, MetadataJson.Default.MetadataPod)!;
        var problems = Registration.Problems(data);
        if (data.Pod != pod || problems.Count > 0)
        {
            return HttpAnswer.Of(400, data.Pod != pod ? "the path names another pod" : string.Join("; ", problems));
        }

        lock (_guard)
        {
            if (_byPod.Count >= MaxPods)
            {
                return HttpAnswer.Of(503, $"{MaxPods} pods are registered, which is the most");
            }

            Forget(pod);
            var registration = new Registration
            {
                Pod = data,
                Token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                Key = RandomNumberGenerator.GetBytes(HMACSHA512.HashSizeInBytes),
                Port = Listen(data.ServiceAddress, _paths.Port),
            };
            Write(registration);
            _byPod[pod] = registration;
            _byToken[registration.Token] = registration;
            return HttpAnswer.Of(200, registration.Url);
        }
    }

    private HttpAnswer Unregister(Guid pod)
    {
        lock (_guard)
        {
            Forget(pod);
            File.Delete(_paths.Pod(pod));
        }

        EndIfIdle();
        return HttpAnswer.Of(200, "");
    }

    private void Forget(Guid pod)
    {
        if (_byPod.Remove(pod, out var old))
        {
            _byToken.Remove(old.Token);
        }
    }

    private void Write(Registration registration)
    {
        var file = _paths.Pod(registration.Pod.Pod);
        File.WriteAllBytes(file + ".new", JsonSerializer.SerializeToUtf8Bytes(registration, MetadataJson.Default.Registration));
        File.Move(file + ".new", file, overwrite: true);
    }

    private async Task AcceptAsync(Socket listener, Func<HttpRequest, IPAddress?, HttpAnswer> answer)
    {
        using var connections = new SemaphoreSlim(MaxConnections);
        var running = new List<Task>();
        var ofPeer = new Dictionary<IPAddress, int>();
        try
        {
            while (true)
            {
                await connections.WaitAsync(_end.Token);
                var client = await listener.AcceptAsync(_end.Token);
                var from = (client.RemoteEndPoint as IPEndPoint)?.Address;
                if (from is not null && !Admit(from, ofPeer))
                {
                    client.Dispose();
                    connections.Release();
                    continue;
                }

                running.RemoveAll(t => t.IsCompleted);
                running.Add(ServeAsync(client, from, answer, () =>
                {
                    Leave(from, ofPeer);
                    connections.Release();
                }));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The service ends; what is being answered is finished first.
            if (e is SocketException)
            {
                Log("accepting failed: " + e.Message);
            }
        }

        await Task.WhenAll(running);
    }

    // Only pods are listened to at all, and none of them may take all the connections.
    private bool Admit(IPAddress from, Dictionary<IPAddress, int> ofPeer)
    {
        lock (_guard)
        {
            var text = from.ToString();
            ofPeer.TryGetValue(from, out var count);
            if (count >= MaxConnectionsOfPod || !_byPod.Values.Any(r => r.Pod.Addresses.Contains(text)))
            {
                return false;
            }

            ofPeer[from] = count + 1;
            return true;
        }
    }

    private void Leave(IPAddress? from, Dictionary<IPAddress, int> ofPeer)
    {
        if (from is null)
        {
            return;
        }

        lock (_guard)
        {
            if (--ofPeer[from] == 0)
            {
                ofPeer.Remove(from);
            }
        }
    }

    private async Task ServeAsync(Socket client, IPAddress? from, Func<HttpRequest, IPAddress?, HttpAnswer> answer, Action left)
    {
        using (client)
        {
            try
            {
                var buffer = new byte[4096];
                var filled = 0;
                while (!_end.IsCancellationRequested)
                {
                    using var patience = new CancellationTokenSource(ConnectionPatience, _time);
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _end.Token);
                    var (request, taken, refusal) = HttpRequest.Parse(buffer.AsSpan(0, filled));
                    if (refusal != 0)
                    {
                        await client.SendAsync(HttpAnswer.Of(refusal, "").ToBytes(keepAlive: false), patience.Token);
                        return;
                    }

                    if (request is not null)
                    {
                        await client.SendAsync(answer(request, from).ToBytes(request.KeepAlive), patience.Token);
                        if (!request.KeepAlive)
                        {
                            return;
                        }

                        buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                        filled -= taken;
                        continue;
                    }

                    if (filled == buffer.Length)
                    {
                        // The parser refuses what is longer than head and body may be, so this ends.
                        Array.Resize(ref buffer, buffer.Length * 2);
                    }

                    var n = await client.ReceiveAsync(buffer.AsMemory(filled), either.Token);
                    if (n == 0)
                    {
                        return;
                    }

                    filled += n;
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Slow, gone, or the service ends.
            }
            finally
            {
                left();
            }
        }
    }

    private void Log(string line)
    {
        try
        {
            File.AppendAllText(_paths.Log, $"{_time.GetUtcNow():u} {line}\n");
        }
        catch (IOException)
        {
            // A full disk must not end the service.
        }
    }
}
