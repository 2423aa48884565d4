using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Metadata;

/// <summary>Registers pods with the metadata service, which the first one starts and the last one ends.</summary>
public sealed class MetadataRegistration
{
    /// <summary>The verb that runs the service.</summary>
    public const string Verb = "metadata-service";

    // A NativeAOT start takes milliseconds; this is for a machine that swaps.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    private readonly MetadataPaths _paths;
    private readonly IReadOnlyList<string> _self;
    private readonly TimeProvider _time;

    /// <summary>The client of a root's service.</summary>
    /// <param name="root">The root.</param>
    /// <param name="self">The words that run muster on this root, an absolute program first; the verb is appended.</param>
    /// <param name="time">The clock that waiting is measured by.</param>
    public MetadataRegistration(MusterRoot root, IReadOnlyList<string> self, TimeProvider time)
    {
        _paths = new MetadataPaths(root);
        _self = self;
        _time = time;
    }

    /// <summary>Registers a pod whose network is set up, starting the service if it does not run; gives the value of AC_METADATA_URL.</summary>
    public async Task<string> RegisterAsync(MetadataPod pod, CancellationToken ct)
    {
        _paths.Make();
        using var held = await TakeLockAsync(ct);
        using var socket = await ConnectOrStartAsync(ct);
        var (status, body) = await AskAsync(socket, "PUT", "/pods/" + pod.Pod, JsonSerializer.SerializeToUtf8Bytes(pod, MetadataJson.Default.MetadataPod), ct);
        return status == 200
            ? body
            : throw new MusterException(status == 409 ? ErrorKind.Conflict : ErrorKind.Internal, $"Pod {pod.Pod} was refused by the metadata service ({body.Trim()}): start it without --mds-register, or look at {_paths.Log}");
    }

    /// <summary>Takes a registration back; does nothing when there is none. The service ends with the last one.</summary>
    public async Task UnregisterAsync(Guid pod, CancellationToken ct)
    {
        if (!File.Exists(_paths.Pod(pod)))
        {
            return;
        }

        using var held = await TakeLockAsync(ct);
        File.Delete(_paths.Pod(pod));
        if (TryConnect() is { } socket)
        {
            using (socket)
            {
                await AskAsync(socket, "DELETE", "/pods/" + pod, [], ct);
            }
        }
    }

    /// <summary>Takes back the registrations of pods that are gone, and starts the service anew if it was killed while others live.</summary>
    public async Task SweepAsync(Func<Guid, bool> isAlive, CancellationToken ct)
    {
        if (!Directory.Exists(_paths.Pods))
        {
            return;
        }

        var left = 0;
        foreach (var file in Directory.EnumerateFiles(_paths.Pods).ToList())
        {
            if (Guid.TryParse(Path.GetFileName(file).Split('.')[0], out var pod) && isAlive(pod))
            {
                left++;
            }
            else if (Path.GetExtension(file) == ".json")
            {
                await UnregisterAsync(pod, ct);
            }
            else
            {
                File.Delete(file);
            }
        }

        if (left > 0)
        {
            using var held = await TakeLockAsync(ct);
            using var socket = await ConnectOrStartAsync(ct);
        }
    }

    private async Task<HeldDescriptor> TakeLockAsync(CancellationToken ct)
    {
        var descriptor = DescriptorLock.Open(_paths.ClientLock, create: true);
        try
        {
            while (!DescriptorLock.TryAcquire(descriptor))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), _time, ct);
            }

            return new HeldDescriptor(descriptor);
        }
        catch
        {
            Descriptors.Close(descriptor);
            throw;
        }
    }

    private Socket? TryConnect()
    {
        var descriptor = UnixSockets.TryConnect(_paths.Folder, MetadataPaths.SocketName);
        return descriptor < 0 ? null : new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    private async Task<Socket> ConnectOrStartAsync(CancellationToken ct)
    {
        if (TryConnect() is { } running)
        {
            return running;
        }

        // A service that is just ending holds its lock for a moment more.
        var deadline = _time.GetTimestamp();
        var pid = 0;
        while (_time.GetElapsedTime(deadline) < StartPatience)
        {
            if (pid == 0 && !DescriptorLock.IsHeld(_paths.ServiceLock))
            {
                pid = Spawn.Start(_self[0], [.. _self, Verb, "--detach"], Spawn.Environment(), session: true);
                var status = Spawn.Wait(pid);
                if (status != 0)
                {
                    throw new MusterException(ErrorKind.Internal, $"The metadata service did not start (status {status}): run muster {Verb} by hand to see why");
                }
            }

            if (TryConnect() is { } socket)
            {
                return socket;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(2), _time, ct);
        }

        throw new MusterException(ErrorKind.Timeout, $"The metadata service did not answer within {StartPatience.TotalSeconds:0} s: look at {_paths.Log}, or start the pod without --mds-register");
    }

    private async Task<(int Status, string Body)> AskAsync(Socket socket, string method, string target, byte[] body, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(AnswerPatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            byte[] request = [.. Encoding.ASCII.GetBytes($"{method} {target} HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
            for (var sent = 0; sent < request.Length;)
            {
                sent += await socket.SendAsync(request.AsMemory(sent), either.Token);
            }

            using var answer = new MemoryStream();
            var buffer = new byte[4096];
            for (int n; (n = await socket.ReceiveAsync(buffer.AsMemory(), either.Token)) > 0 && answer.Length < HttpRequest.MaxBodyBytes;)
            {
                answer.Write(buffer, 0, n);
            }

            var text = Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            return end > 12 && int.TryParse(text.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                ? (status, text[(end + 4)..])
                : throw new MusterException(ErrorKind.Internal, $"The metadata service hung up: look at {_paths.Log}");
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new MusterException(ErrorKind.Timeout, $"The metadata service did not answer within {AnswerPatience.TotalSeconds:0} s: look at {_paths.Log}", e);
        }
        catch (SocketException e)
        {
            throw new MusterException(ErrorKind.Internal, $"The metadata service hung up ({e.Message}): look at {_paths.Log}", e);
        }
    }

    private sealed class HeldDescriptor(int descriptor) : IDisposable
    {
        public void Dispose() => Descriptors.Close(descriptor);
    }
}
