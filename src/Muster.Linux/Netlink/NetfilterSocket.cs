using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>A base chain of some table, as far as a diagnosis needs it: which hook, and whether its policy is to drop.</summary>
public sealed record FilterChain(byte Family, string Table, string Name, uint? Hook, bool Drops);

/// <summary>
/// The few nfnetlink requests that are made for every pod and must not cost a process: does a table or chain exist, and
/// adding, removing and finding elements of maps (linux/netfilter/nf_tables.h). Tables themselves are loaded by nft(8).
/// </summary>
public sealed class NetfilterSocket : IDisposable
{
    /// <summary>NFPROTO_INET: one table for IPv4 and IPv6.</summary>
    public const byte Inet = 1;

    /// <summary>NF_INET_FORWARD.</summary>
    public const uint ForwardHook = 2;

    /// <summary>NF_INET_LOCAL_IN.</summary>
    public const uint InputHook = 1;

    private const ushort BatchBegin = 0x10;
    private const ushort BatchEnd = 0x11;
    private const ushort Subsystem = 10;
    private const ushort NFT_MSG_GETTABLE = 1;
    private const ushort NFT_MSG_DELTABLE = 2;
    private const ushort NFT_MSG_NEWCHAIN = 3;
    private const ushort NFT_MSG_GETCHAIN = 4;
    private const ushort NFT_MSG_NEWSETELEM = 12;
    private const ushort NFT_MSG_GETSETELEM = 13;
    private const ushort NFT_MSG_DELSETELEM = 14;

    private readonly NetlinkSocket _socket = new(NetlinkSocket.Netfilter);

    /// <summary>Whether a chain is there.</summary>
    public bool HasChain(string table, string chain) =>
        _socket.TryGet(Request(NFT_MSG_GETCHAIN, NetlinkBatch.Flags.Ack, Inet, $"get chain {table} {chain}").Put(1, table).Put(3, chain), (_, _) => { }, Errno.ENOENT);

    /// <summary>The inet tables whose names begin with <paramref name="prefix"/>.</summary>
    public List<string> Tables(string prefix)
    {
        var tables = new List<string>();
        _socket.Dump(
            () => Request(NFT_MSG_GETTABLE, NetlinkBatch.Flags.Dump, Inet, "list tables"),
            (_, payload) =>
            {
                var walk = new NetlinkAttributes(payload.Length > 4 ? payload[4..] : default);
                while (walk.Next())
                {
                    if (walk.Type == 1 && walk.Text() is var name && name.StartsWith(prefix, StringComparison.Ordinal))
                    {
                        tables.Add(name);
                    }
                }
            },
            tables.Clear);
        return tables;
    }

    /// <summary>Every base chain of every family.</summary>
    public List<FilterChain> BaseChains()
    {
        var chains = new List<FilterChain>();
        _socket.Dump(
            () => Request(NFT_MSG_GETCHAIN, NetlinkBatch.Flags.Dump, 0, "list chains"),
            (type, payload) =>
            {
                if ((type & 0xff) == NFT_MSG_NEWCHAIN && ReadChain(payload) is { Hook: not null } chain)
                {
                    chains.Add(chain);
                }
            },
            chains.Clear);
        return chains;
    }

    /// <summary>Removes a table with all that is in it; false when there was none.</summary>
    public bool DeleteTable(string table)
    {
        var batch = Frame(BatchBegin, new NetlinkBatch());
        Append(batch, NFT_MSG_DELTABLE, NetlinkBatch.Flags.Ack, Inet, "delete table " + table).Put(1, table);
        try
        {
            _socket.Execute(Frame(BatchEnd, batch));
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return false;
        }
    }

    /// <summary>Adds elements in one transaction: all or none; EEXIST when a key is there with other data.</summary>
    public void AddElements(string table, IReadOnlyList<MapElement> elements)
    {
        if (elements.Count == 0)
        {
            return;
        }

        var batch = Frame(BatchBegin, new NetlinkBatch());
        foreach (var element in elements)
        {
            Element(
                Append(batch, NFT_MSG_NEWSETELEM, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Exclusive, Inet, $"add element to {table} {element.Map}"),
                table,
                element,
                withData: true);
        }

        _socket.Execute(Frame(BatchEnd, batch));
    }

    /// <summary>Removes elements; one that is not there (nor its table) is as good as removed.</summary>
    public void RemoveElements(string table, IReadOnlyList<MapElement> elements)
    {
        // All in one transaction, as the next one would wait for the kernel to free what this one removed (13 ms and more).
        // Only when one of them is missing, which keeps all the others in, they are removed one by one.
        if (elements.Count == 0 || TryRemove(table, elements))
        {
            return;
        }

        foreach (var element in elements)
        {
            TryRemove(table, [element]);
        }
    }

    private bool TryRemove(string table, IReadOnlyList<MapElement> elements)
    {
        var batch = Frame(BatchBegin, new NetlinkBatch());
        foreach (var element in elements)
        {
            Element(Append(batch, NFT_MSG_DELSETELEM, NetlinkBatch.Flags.Ack, Inet, $"remove element from {table} {element.Map}"), table, element, withData: false);
        }

        try
        {
            _socket.Execute(Frame(BatchEnd, batch));
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return false;
        }
    }

    /// <summary>Whether a map has the element's key, whatever it leads to.</summary>
    public bool HasElement(string table, MapElement element)
    {
        var batch = Request(NFT_MSG_GETSETELEM, NetlinkBatch.Flags.Ack, Inet, $"get element of {table} {element.Map}");
        Element(batch, table, element, withData: false);
        return _socket.TryGet(batch, (_, _) => { }, Errno.ENOENT);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    internal static FilterChain? ReadChain(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 4)
        {
            return null;
        }

        string table = "", name = "";
        uint? hook = null;
        var drops = false;
        var walk = new NetlinkAttributes(payload[4..]);
        while (walk.Next())
        {
            switch (walk.Type)
            {
                case 1:
                    table = walk.Text();
                    break;
                case 3:
                    name = walk.Text();
                    break;
                case 4:
                    var number = NetlinkAttributes.Find(walk.Value, 1);
                    hook = number.Length >= 4 ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(number) : null;
                    break;
                case 5:
                    drops = walk.BigEndianNumber() == 0; // NF_DROP
                    break;
            }
        }

        return new FilterChain(payload[0], table, name, hook, drops);
    }

    private static void Element(NetlinkBatch batch, string table, MapElement element, bool withData)
    {
        batch.Put(1, table).Put(2, element.Map).Nest(3, list => list.Nest(1, item =>
        {
            item.Nest(1, key => key.Put(1, element.Key));
            if (withData)
            {
                item.Nest(2, data => data.Put(1, element.Data));
            }
        }));
    }

    private static NetlinkBatch Request(ushort message, NetlinkBatch.Flags flags, byte family, string what) =>
        Append(new NetlinkBatch(), message, flags, family, what);

    private static NetlinkBatch Append(NetlinkBatch batch, ushort message, NetlinkBatch.Flags flags, byte family, string what) =>
        batch.Begin((ushort)((Subsystem << 8) | message), flags, "nftables: " + what).Put(new GenericMessage { Family = family });

    private static NetlinkBatch Frame(ushort type, NetlinkBatch batch) =>
        batch.Begin(type, NetlinkBatch.Flags.None, "nftables: transaction").Put(new GenericMessage { Resource = (ushort)(Subsystem << 8) });

    /// <summary>struct nfgenmsg; the resource is in network order.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GenericMessage
    {
        public byte Family;
        public byte Version;
        public ushort Resource;
    }
}

/// <summary>An element of a map: key and data in the kernel's form, each part padded to four bytes.</summary>
public sealed record MapElement(string Map, byte[] Key, byte[] Data);
