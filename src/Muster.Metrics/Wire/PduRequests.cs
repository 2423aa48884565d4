using System.Buffers.Binary;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Wire;

// What clients ask, one type a unit. Each takes the body (what follows the header) and gives false for one that is cut off,
// contradicts itself or asks beyond a limit; bytes behind what is understood are ignored, as pmcd ignores them.

/// <summary>FETCH and HIGHRES_FETCH: <c>i32 context, 8 unused bytes, u32 n, n × pmid</c>.</summary>
public readonly ref struct FetchRequest
{
    private readonly ReadOnlySpan<byte> _ids;

    private FetchRequest(int context, ReadOnlySpan<byte> ids)
    {
        Context = context;
        _ids = ids;
    }

    public int Context { get; }

    public int Count => _ids.Length / 4;

    public MetricId this[int index] => new(BinaryPrimitives.ReadUInt32BigEndian(_ids[(index * 4)..]));

    public static bool TryRead(ReadOnlySpan<byte> body, out FetchRequest request)
    {
        var reader = new PduReader(body);
        var context = reader.Int32();
        reader.Bytes(8);
        var ids = reader.Bytes(reader.Count(4) * 4);
        request = new FetchRequest(context, ids);
        return !reader.Failed;
    }

    /// <summary>Whether exactly these are asked, in this order.</summary>
    public bool AsksFor(ReadOnlySpan<MetricId> ids)
    {
        if (ids.Length != Count)
        {
            return false;
        }

        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] != this[i])
            {
                return false;
            }
        }

        return true;
    }

    public MetricId[] ToArray()
    {
        var ids = new MetricId[Count];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = this[i];
        }

        return ids;
    }
}

/// <summary>PROFILE: <c>i32 context, u32 state, u32 n, u32 0; n × (indom, u32 state, u32 count, u32 0); all instances in order</c>.</summary>
public sealed record ProfileRequest(int Context, InstanceProfile Profile)
{
    private const uint IncludeAll = 0;

    public static ProfileRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        var context = reader.Int32();
        var all = reader.UInt32() == IncludeAll;
        var count = reader.Count(16);
        reader.UInt32();
        var heads = new (InstanceDomainId Domain, bool All, int Count)[count];
        for (var i = 0; i < heads.Length; i++)
        {
            heads[i] = (reader.Domain(), reader.UInt32() == IncludeAll, reader.Count(4));
            reader.UInt32();
        }

        var domains = new Dictionary<InstanceDomainId, InstanceSelection>(count);
        foreach (var head in heads)
        {
            var instances = new int[Math.Min(head.Count, reader.Left / 4)];
            if (instances.Length < head.Count)
            {
                return null;
            }

            foreach (ref var instance in instances.AsSpan())
            {
                instance = reader.Int32();
            }

            domains[head.Domain] = new InstanceSelection(onlyListed: !head.All, instances);
        }

        return reader.Failed ? null : new ProfileRequest(context, new InstanceProfile(all, domains));
    }
}

/// <summary>INSTANCE_REQ: <c>indom, 8 unused bytes, i32 instance, name</c>. All instances when there is neither.</summary>
public readonly record struct InstanceRequest(InstanceDomainId Domain, int Instance, string Name)
{
    public static InstanceRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        var domain = reader.Domain();
        reader.Bytes(8);
        var request = new InstanceRequest(domain, reader.Int32(), reader.Text(PduLimits.MaxFromClient));
        return reader.Failed ? null : request;
    }
}

/// <summary>TEXT_REQ and LABEL_REQ: <c>u32 ident, u32 type</c>.</summary>
public readonly record struct IdentRequest(uint Ident, uint Type)
{
    public static IdentRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        var request = new IdentRequest(reader.UInt32(), reader.UInt32());
        return reader.Failed ? null : request;
    }
}

/// <summary>PMNS_NAMES: <c>u32 bytes of names, u32 number of states, i32 n; n × ([u32 state,] name)</c>.</summary>
public static class NamesRequest
{
    public static IReadOnlyList<string>? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        reader.UInt32();
        var states = reader.UInt32();
        var names = new string[reader.Count(4)];
        if (states != 0 && states != (uint)names.Length)
        {
            return null;
        }

        for (var i = 0; i < names.Length && !reader.Failed; i++)
        {
            _ = states == 0 ? 0 : reader.UInt32();
            names[i] = reader.Text(PduLimits.MaxFromClient);
        }

        return reader.Failed ? null : names;
    }
}

/// <summary>PMNS_CHILD and PMNS_TRAVERSE: <c>u32 subtype, name</c>.</summary>
public readonly record struct NodeRequest(uint Subtype, string Name)
{
    public static NodeRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        var request = new NodeRequest(reader.UInt32(), reader.Text(PduLimits.MaxFromClient));
        return reader.Failed ? null : request;
    }
}

/// <summary>PMNS_IDS and DESC_IDS: <c>i32 status, u32 n, n × pmid</c>.</summary>
public static class IdsRequest
{
    public static MetricId[]? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        reader.Int32();
        var ids = new MetricId[reader.Count(4)];
        foreach (ref var id in ids.AsSpan())
        {
            id = reader.Id();
        }

        return reader.Failed ? null : ids;
    }
}

/// <summary>ATTR: <c>u32 code</c> and the value, neither ended nor padded.</summary>
public sealed record AttributeRequest(int Code, string Value)
{
    public static AttributeRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        var code = reader.Int32();
        return reader.Failed || reader.Left > PduLimits.MaxAttribute ? null : new AttributeRequest(code, PduReader.Decode(reader.Remaining()));
    }
}

/// <summary>CREDS: <c>u32 n; n × (u8 type, u8 version, u16 features)</c>; the entry of type 1 counts.</summary>
public readonly record struct CredentialsRequest(int Version, PduFeatures Features)
{
    private const int ClientVersion = 1;

    public static CredentialsRequest? Read(ReadOnlySpan<byte> body)
    {
        var reader = new PduReader(body);
        CredentialsRequest? found = null;
        for (var left = reader.Count(4); left > 0; left--)
        {
            var entry = reader.UInt32();
            if (entry >> 24 == ClientVersion)
            {
                found = new CredentialsRequest((int)(entry >> 16) & 0xff, (PduFeatures)(entry & 0xffff));
            }
        }

        return reader.Failed ? null : found;
    }
}
