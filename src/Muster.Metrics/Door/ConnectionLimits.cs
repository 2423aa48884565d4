using System.Net;

namespace Muster.Metrics.Door;

/// <summary>How many are connected, and how much waits to be sent.</summary>
internal sealed class ConnectionLimits(DoorOptions options)
{
    private readonly Lock _guard = new();
    private readonly Dictionary<object, int> _ofPeer = [];
    private int _local;
    private int _remote;
    private long _pending;

    /// <summary>Counts a connection in; false when there are too many, of all, of this user, or of this address. Root is bounded by the whole alone.</summary>
    /// <param name="isLocal">Whether it came over the Unix socket.</param>
    /// <param name="userId">Whose it is there.</param>
    /// <param name="address">Where it comes from over TCP.</param>
    public bool TryEnter(bool isLocal, uint? userId, IPAddress? address = null)
    {
        lock (_guard)
        {
            if ((isLocal ? _local : _remote) >= options.MaxConnections)
            {
                return false;
            }

            if (Peer(userId, address) is { } peer)
            {
                var count = _ofPeer.GetValueOrDefault(peer);
                if (count >= (peer is IPAddress ? options.MaxConnectionsOfAddress : options.MaxConnectionsOfUser))
                {
                    return false;
                }

                _ofPeer[peer] = count + 1;
            }

            _ = isLocal ? _local++ : _remote++;
            return true;
        }
    }

    public void Leave(bool isLocal, uint? userId, IPAddress? address = null)
    {
        lock (_guard)
        {
            _ = isLocal ? _local-- : _remote--;
            if (Peer(userId, address) is { } peer && --_ofPeer[peer] is 0)
            {
                _ofPeer.Remove(peer);
            }
        }
    }

    /// <summary>Counts an answer that waits; false when too many bytes do.</summary>
    public bool TryHold(int bytes)
    {
        if (Interlocked.Add(ref _pending, bytes) <= options.MaxPending)
        {
            return true;
        }

        Interlocked.Add(ref _pending, -bytes);
        return false;
    }

    public void Release(int bytes) => Interlocked.Add(ref _pending, -bytes);

    private static object? Peer(uint? userId, IPAddress? address) => userId is { } user ? user == 0 ? null : user : address;
}
