using System.Collections.Concurrent;

namespace Muster.Metrics.Door;

/// <summary>One client of the door, as <c>pmcd.client.*</c> shows it.</summary>
public sealed class ClientRecord
{
    internal ClientRecord(int id, string address, DateTimeOffset since)
    {
        Id = id;
        Address = address;
        Since = since;
    }

    /// <summary>Its number; never used again while the door lives.</summary>
    public int Id { get; }

    /// <summary>Where it comes from: an address, or <c>local</c>.</summary>
    public string Address { get; }

    public DateTimeOffset Since { get; }

    /// <summary>What it says of itself, <c>host (address) program arguments</c>; null until it does.</summary>
    public string? Who { get; set; }

    /// <summary>The container whose eyes it sees with, or null.</summary>
    public string? Container { get; set; }
}

/// <summary>The clients that are connected now.</summary>
public sealed class ClientTable
{
    private readonly ConcurrentDictionary<int, ClientRecord> _clients = new();
    private int _last;

    /// <summary>How many have ever connected.</summary>
    public int Sequence => Volatile.Read(ref _last);

    public int Count => _clients.Count;

    /// <summary>All of them, by number.</summary>
    public IReadOnlyList<ClientRecord> All => [.. _clients.Values.OrderBy(c => c.Id)];

    public ClientRecord Add(string address, DateTimeOffset since)
    {
        var client = new ClientRecord(Interlocked.Increment(ref _last), address, since);
        _clients[client.Id] = client;
        return client;
    }

    public void Remove(ClientRecord client) => _clients.TryRemove(client.Id, out _);
}
