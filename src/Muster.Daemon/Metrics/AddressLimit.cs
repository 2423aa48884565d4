using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Muster.Daemon.Metrics;

/// <summary>Connection middleware: so many of one address at once; more are hung up on, so that no host keeps the others out.</summary>
internal sealed class AddressLimit(int most)
{
    private readonly Lock _guard = new();
    private readonly Dictionary<IPAddress, int> _connections = [];

    public ConnectionDelegate Bound(ConnectionDelegate next) => async connection =>
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        if (!TryEnter(address))
        {
            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    };

    private bool TryEnter(IPAddress address)
    {
        lock (_guard)
        {
            var count = _connections.GetValueOrDefault(address);
            _connections[address] = Math.Min(count + 1, most);
            return count < most;
        }
    }

    private void Leave(IPAddress address)
    {
        lock (_guard)
        {
            if (--_connections[address] is 0)
            {
                _connections.Remove(address);
            }
        }
    }
}
