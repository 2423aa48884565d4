namespace Muster.Metrics.Door;

/// <summary>How many are connected, and how much waits to be sent.</summary>
internal sealed class ConnectionLimits(DoorOptions options)
{
    private readonly Lock _guard = new();
    private readonly Dictionary<uint, int> _ofUser = [];
    private int _local;
    private int _remote;
    private long _pending;

    /// <summary>Counts a connection in; false when there are too many, of all or of this user. Root is bounded by the whole alone.</summary>
    public bool TryEnter(bool isLocal, uint? userId)
    {
        lock (_guard)
        {
            if ((isLocal ? _local : _remote) >= options.MaxConnections)
            {
                return false;
            }

            if (userId is { } user and not 0)
            {
                var count = _ofUser.GetValueOrDefault(user);
                if (count >= options.MaxConnectionsOfUser)
                {
                    return false;
                }

                _ofUser[user] = count + 1;
            }

            _ = isLocal ? _local++ : _remote++;
            return true;
        }
    }

    public void Leave(bool isLocal, uint? userId)
    {
        lock (_guard)
        {
            _ = isLocal ? _local-- : _remote--;
            if (userId is { } user and not 0 && --_ofUser[user] is 0)
            {
                _ofUser.Remove(user);
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
}
