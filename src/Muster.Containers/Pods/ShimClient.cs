using System.Buffers;
using System.Text;
using System.Text.Json;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Pods;

/// <summary>A connection to a shim's control socket; see docs/pods.md for the protocol.</summary>
public sealed class ShimClient : IDisposable
{
    private const int MaxAnswer = 64 * 1024;

    private readonly byte[] _buffer = new byte[MaxAnswer];
    private int _length;

    private ShimClient(int socket) => Socket = socket;

    /// <summary>The connection, for the frames after <c>attach</c>.</summary>
    public int Socket { get; private set; }

    /// <summary>Connects to a pod's shim; null when none listens.</summary>
    public static ShimClient? TryConnect(PodDirectory pod)
    {
        var socket = UnixSockets.TryConnect(pod.Path, "control");
        return socket < 0 ? null : new ShimClient(socket);
    }

    /// <summary>Sends one request and waits for its answer; a refusal is thrown.</summary>
    public void Ask(string operation, Action<Utf8JsonWriter>? more = null)
    {
        var request = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(request))
        {
            json.WriteStartObject();
            json.WriteNumber("v"u8, 1);
            json.WriteString("op"u8, operation);
            more?.Invoke(json);
            json.WriteEndObject();
        }

        request.Write("\n"u8.ToArray());
        if (!Descriptors.WriteAll(Socket, request.WrittenSpan))
        {
            throw Lost();
        }

        using var answer = JsonDocument.Parse(ReadLine());
        if (!answer.RootElement.GetProperty("ok").GetBoolean())
        {
            throw new MusterException(ErrorKind.Conflict, answer.RootElement.GetProperty("error").GetString() ?? "The pod's supervisor refused");
        }
    }

    /// <summary>Bytes that came behind the last answer, before the rest is read from <see cref="Socket"/>.</summary>
    public ReadOnlySpan<byte> TakeRest()
    {
        var rest = _buffer.AsSpan(0, _length);
        _length = 0;
        return rest;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Descriptors.Close(Socket);
        Socket = -1;
    }

    private byte[] ReadLine()
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = _buffer[..end];
                _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
                _length -= end + 1;
                return line;
            }

            var n = _length == MaxAnswer ? 0 : Descriptors.Read(Socket, _buffer.AsSpan(_length));
            if (n <= 0)
            {
                throw Lost();
            }

            _length += n;
        }
    }

    private static MusterException Lost() => new(ErrorKind.Upstream, "The pod's supervisor hung up: \"muster status\" tells what became of the pod");
}
