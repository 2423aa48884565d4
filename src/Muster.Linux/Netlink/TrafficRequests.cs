using System.Runtime.InteropServices;

namespace Muster.Linux.Netlink;

/// <summary>Traffic control over rtnetlink(7): queueing disciplines and filters of a link.</summary>
public static class TrafficRequests
{
    private const ushort RTM_NEWQDISC = 36;
    private const ushort RTM_NEWTFILTER = 44;
    private const ushort TCA_KIND = 1;
    private const ushort TCA_OPTIONS = 2;
    private const ushort TCA_TBF_PARMS = 1;
    private const ushort TCA_TBF_RATE64 = 4;
    private const ushort TCA_TBF_BURST = 6;
    private const ushort TCA_BPF_OPS_LEN = 4;
    private const ushort TCA_BPF_OPS = 5;
    private const ushort TCA_BPF_FLAGS = 8;
    private const uint TCA_BPF_FLAG_ACT_DIRECT = 1;
    private const uint TC_H_ROOT = 0xffffffff;
    private const uint TC_H_INGRESS = 0xfffffff1;
    private const uint IngressHandle = 0xffff0000;
    private const uint FirstPriority = 1 << 16;
    private const uint AllProtocols = 0x0300; // ETH_P_ALL in network order
    private const byte TC_LINKLAYER_ETHERNET = 1;

    // What may pass at once: as much as 20 ms of the rate, so that a timer that fires late loses nothing; some frames at the least.
    private const int BurstsPerSecond = 50;
    private const int MinBurst = 16 << 10;
    private const int MaxBurst = 4 << 20;

    // How long a packet may wait before the queue drops others: TCP notices, and a queue of seconds makes nobody wait.
    private const int WaitsPerSecond = 20;

    /// <summary>Lets a link send no faster than a rate, of whole Ethernet frames (tc-tbf(8)); what it receives is not touched.</summary>
    /// <param name="batch">Where the request goes.</param>
    /// <param name="link">The link's index.</param>
    /// <param name="bytesPerSecond">The rate, above 0.</param>
    /// <param name="mtu">The link's largest packet, without its Ethernet header.</param>
    public static NetlinkBatch LimitRate(this NetlinkBatch batch, int link, long bytesPerSecond, int mtu)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        var burst = (uint)Math.Clamp(bytesPerSecond / BurstsPerSecond, Math.Max(MinBurst, 2 * (mtu + 18)), MaxBurst);
        var parameters = new TokenBucket
        {
            Rate = new RateSpecification { LinkLayer = TC_LINKLAYER_ETHERNET, Rate = (uint)Math.Min(bytesPerSecond, uint.MaxValue) },
            Limit = (uint)Math.Min(burst + (bytesPerSecond / WaitsPerSecond), int.MaxValue),
        };
        return batch.Begin(RTM_NEWQDISC, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Replace, $"limit the rate of link {link}")
            .Put(new TrafficMessage { Index = link, Parent = TC_H_ROOT })
            .Put(TCA_KIND, "tbf")
            .Nest(TCA_OPTIONS, options =>
            {
                options.Put(TCA_TBF_PARMS, MemoryMarshal.AsBytes(new ReadOnlySpan<TokenBucket>(in parameters)))
                    .Put(TCA_TBF_BURST, burst);
                if (bytesPerSecond > uint.MaxValue)
                {
                    options.Put(TCA_TBF_RATE64, MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in bytesPerSecond)));
                }
            });
    }

    /// <summary>
    /// Has a program look at every frame that a link receives, before anything else of the host does (tc-bpf(8)): what it returns
    /// is the verdict. ENOENT or ENOTSUP where the kernel has no such filters.
    /// </summary>
    public static NetlinkBatch FilterReceived(this NetlinkBatch batch, int link, IReadOnlyList<FilterInstruction> program)
    {
        var length = checked((ushort)program.Count);
        return batch.Begin(RTM_NEWQDISC, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Exclusive, $"prepare a filter on link {link}")
            .Put(new TrafficMessage { Index = link, Handle = IngressHandle, Parent = TC_H_INGRESS })
            .Put(TCA_KIND, "ingress")
            .Begin(RTM_NEWTFILTER, NetlinkBatch.Flags.Ack | NetlinkBatch.Flags.Create | NetlinkBatch.Flags.Exclusive, $"filter what link {link} receives")
            .Put(new TrafficMessage { Index = link, Parent = IngressHandle, Info = FirstPriority | AllProtocols })
            .Put(TCA_KIND, "bpf")
            .Nest(TCA_OPTIONS, options => options
                .Put(TCA_BPF_OPS_LEN, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in length)))
                .Put(TCA_BPF_OPS, MemoryMarshal.AsBytes<FilterInstruction>(program.ToArray()))
                .Put(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT));
    }

    /// <summary>struct tcmsg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TrafficMessage
    {
        public byte Family;
        public byte Pad1;
        public ushort Pad2;
        public int Index;
        public uint Handle;
        public uint Parent;
        public uint Info;
    }

    /// <summary>struct tc_ratespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct RateSpecification
    {
        public byte CellLog;
        public byte LinkLayer;
        public ushort Overhead;
        public short CellAlign;
        public ushort SmallestPacket;
        public uint Rate;
    }

    /// <summary>struct tc_tbf_qopt.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TokenBucket
    {
        public RateSpecification Rate;
        public RateSpecification PeakRate;
        public uint Limit;
        public uint Buffer;
        public uint Mtu;
    }
}
