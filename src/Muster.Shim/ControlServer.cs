using System.Text;
using System.Text.Json;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// The shim's door: the socket <c>control</c> in the pod directory, for root only. A request is one line of JSON with
/// <c>v</c> (protocol version) and <c>op</c>, its answer likewise. After <c>attach</c> the connection carries frames: a kind
/// byte (0 input, 1 output, 2 error output, 3 window size), a length of four bytes little endian, the data.
/// </summary>
internal sealed class ControlServer
{
    public const int ProtocolVersion = 1;

    /// <summary>Connections at once; more are closed at once.</summary>
    private const int MaxClients = 64;

    /// <summary>What an attached client may leave unread before it is let go: it must never hold up the app.</summary>
    private const int MaxBacklog = 1024 * 1024;

    private readonly int _listener;
    private readonly List<ControlClient> _clients = [];

    public ControlServer(string podDirectory) => _listener = UnixSockets.Listen(podDirectory, "control");

    /// <summary>Answers a request: an error sentence, or null for done; may set the client's attachment.</summary>
    public Func<JsonElement, ControlClient, string?>? OnRequest { get; set; }

    /// <summary>Takes an input frame of an attached client; false when it cannot be taken yet.</summary>
    public Func<ControlClient, byte, ReadOnlyMemory<byte>, bool>? OnFrame { get; set; }

    public int Listener => _listener;

    public IReadOnlyList<ControlClient> Clients => _clients;

    public void Accept()
    {
        while (UnixSockets.Accept(_listener) is >= 0 and var socket)
        {
            if (_clients.Count >= MaxClients || UnixSockets.PeerUser(socket) != 0)
            {
                Descriptors.Close(socket);
                continue;
            }

            _clients.Add(new ControlClient(socket));
        }
    }

    /// <summary>Reads what a client sent and acts on it.</summary>
    public void Serve(ControlClient client)
    {
        if (!client.Receive())
        {
            Drop(client);
            return;
        }

        Process(client);
    }

    /// <summary>Acts on what is buffered of a client.</summary>
    public void Process(ControlClient client)
    {
        while (client.Socket >= 0)
        {
            if (client.AttachedTo is not null)
            {
                if (client.PeekFrame() is not { } frame || OnFrame?.Invoke(client, frame.Kind, frame.Data) != true)
                {
                    return;
                }

                client.Consume(5 + frame.Data.Length);
                continue;
            }

            if (client.TakeLine() is not { } line)
            {
                return;
            }

            Answer(client, line);
        }
    }

    /// <summary>Hands an app's output to those attached to it.</summary>
    public void Broadcast(string app, string stream, ReadOnlySpan<byte> data)
    {
        for (var i = _clients.Count - 1; i >= 0; i--)
        {
            var client = _clients[i];
            if (client.AttachedTo == app && (stream == "stdout" ? client.WantsOut : client.WantsError))
            {
                client.SendFrame(stream == "stdout" ? (byte)1 : (byte)2, data);
                if (client.Backlog > MaxBacklog)
                {
                    Drop(client);
                }
            }
        }
    }

    public void Drop(ControlClient client)
    {
        client.Close();
        _clients.Remove(client);
    }

    /// <summary>Sends what is left to send and hangs up on everyone.</summary>
    public void Close()
    {
        foreach (var client in _clients)
        {
            client.Flush();
            client.Close();
        }

        _clients.Clear();
        Descriptors.Close(_listener);
    }

    private void Answer(ControlClient client, byte[] line)
    {
        string? error;
        try
        {
            using var request = JsonDocument.Parse(line);
            error = request.RootElement.ValueKind == JsonValueKind.Object ? OnRequest?.Invoke(request.RootElement, client) : "A request is a JSON object";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            error = "A request is one line of JSON: " + e.Message;
        }

        var answer = error is null
            ? $"{{\"v\":{ProtocolVersion},\"ok\":true,\"pid\":{Environment.ProcessId}}}\n"
            : $"{{\"v\":{ProtocolVersion},\"ok\":false,\"error\":\"{JsonEncodedText.Encode(error)}\"}}\n";
        client.Send(Encoding.UTF8.GetBytes(answer));
    }
}

/// <summary>One connection to the shim's door.</summary>
internal sealed class ControlClient
{
    /// <summary>The longest request line and the longest frame.</summary>
    private const int MaxMessage = 64 * 1024;

    private readonly byte[] _in = new byte[MaxMessage + 5];
    private readonly List<byte> _out = [];
    private int _inLength;

    public ControlClient(int socket) => Socket = socket;

    public int Socket { get; private set; }

    /// <summary>The app it is attached to, or null.</summary>
    public string? AttachedTo { get; set; }

    public bool WantsOut { get; set; }

    public bool WantsError { get; set; }

    public bool WantsIn { get; set; }

    public int Backlog => _out.Count;

    public bool WantsRead => _inLength < _in.Length;

    /// <summary>Reads what came; false when the peer has gone or sent too much.</summary>
    public bool Receive()
    {
        var n = Descriptors.Read(Socket, _in.AsSpan(_inLength));
        if (n <= 0)
        {
            return n < 0;
        }

        _inLength += n;
        return AttachedTo is not null || _inLength < _in.Length || _in.AsSpan().Contains((byte)'\n');
    }

    public byte[]? TakeLine()
    {
        var end = _in.AsSpan(0, _inLength).IndexOf((byte)'\n');
        if (end < 0)
        {
            return null;
        }

        var line = _in[..end];
        Consume(end + 1);
        return line;
    }

    public (byte Kind, ReadOnlyMemory<byte> Data)? PeekFrame()
    {
        if (_inLength < 5)
        {
            return null;
        }

        var length = BitConverter.ToUInt32(_in, 1);
        if (length > MaxMessage)
        {
            Close();
            return null;
        }

        return _inLength < 5 + (int)length ? null : (_in[0], _in.AsMemory(5, (int)length));
    }

    public void Consume(int count)
    {
        _in.AsSpan(count, _inLength - count).CopyTo(_in);
        _inLength -= count;
    }

    public void SendFrame(byte kind, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[5];
        header[0] = kind;
        BitConverter.TryWriteBytes(header[1..], data.Length);
        _out.AddRange(header);
        Send(data);
    }

    public void Send(ReadOnlySpan<byte> data)
    {
        _out.AddRange(data);
        Flush();
    }

    public void Flush()
    {
        if (_out.Count == 0 || Socket < 0)
        {
            return;
        }

        var n = Descriptors.Write(Socket, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_out));
        if (n < 0)
        {
            Close();
        }
        else
        {
            _out.RemoveRange(0, n);
        }
    }

    public void Close()
    {
        Descriptors.Close(Socket);
        Socket = -1;
    }
}
