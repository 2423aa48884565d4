namespace Muster.Metrics.Agents.Network;

/// <summary>The metrics of interfaces and sockets. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class NetworkTables
{
    public const string Interfaces = """
        network.interface.in.bytes       3.0  3 u64   counter  B     in_bytes       | Bytes received on the interface
        network.interface.in.packets     3.1  3 u64   counter  count in_packets     | Packets received on the interface
        network.interface.in.errors      3.2  3 u64   counter  count in_errors      | Receive errors on the interface
        network.interface.in.drops       3.3  3 u64   counter  count in_drops       | Packets dropped on receipt on the interface
        network.interface.in.fifo        3.4  3 u64   counter  count in_fifo        | Receive buffer overruns on the interface
        network.interface.in.frame       3.5  3 u64   counter  count in_frame       | Framing errors on the interface
        network.interface.in.compressed  3.6  3 u64   counter  count in_compressed  | Compressed packets received on the interface
        network.interface.in.mcasts      3.7  3 u64   counter  count in_mcasts      | Multicast packets received on the interface
        network.interface.out.bytes      3.8  3 u64   counter  B     out_bytes      | Bytes sent on the interface
        network.interface.out.packets    3.9  3 u64   counter  count out_packets    | Packets sent on the interface
        network.interface.out.errors     3.10 3 u64   counter  count out_errors     | Send errors on the interface
        network.interface.out.drops      3.11 3 u64   counter  count out_drops      | Packets dropped before sending on the interface
        network.interface.out.fifo       3.12 3 u64   counter  count out_fifo       | Send buffer overruns on the interface
        network.interface.collisions     3.13 3 u64   counter  count collisions     | Collisions on the interface
        network.interface.out.carrier    3.14 3 u64   counter  count out_carrier    | Losses of carrier on the interface
        network.interface.out.compressed 3.15 3 u64   counter  count out_compressed | Compressed packets sent on the interface
        network.interface.total.bytes    3.16 3 u64   counter  B     total_bytes    | Bytes received and sent on the interface
        network.interface.total.packets  3.17 3 u64   counter  count total_packets  | Packets received and sent on the interface
        network.interface.total.errors   3.18 3 u64   counter  count total_errors   | Receive and send errors on the interface
        network.interface.total.drops    3.19 3 u64   counter  count total_drops    | Packets dropped on the interface
        network.interface.total.mcasts   3.20 3 u64   counter  count in_mcasts      | Multicast packets on the interface
        network.interface.mtu            3.21 3 u32   instant  B     =              | Largest packet that the interface sends
        network.interface.speed          3.22 3 float discrete MiB/s =              | Speed of the interface
        network.interface.baudrate       3.23 3 u64   discrete B/s   =              | Speed of the interface in bytes
        network.interface.duplex         3.24 3 u32   discrete none  =              | 1 half, 2 full duplex
        network.interface.up             3.25 3 u32   instant  none  =              | 1 when the interface is switched on
        network.interface.running        3.26 3 u32   instant  none  =              | 1 when the interface has a carrier
        network.interface.wireless       3.28 3 u32   discrete none  =              | 1 when the interface is a wireless one
        network.interface.type           3.29 3 u32   discrete none  =              | Kind of hardware, as ARP numbers it
        network.interface.virtual        3.30 3 u32   discrete none  =              | 1 when no device is behind the interface
        hinv.ninterface                  3.27 - u32   discrete none  ninterface     | Network interfaces
        """;

    public const string All = """
        network.all.in.bytes      90.0  - u64 counter B     in_bytes      | Bytes received on all interfaces that have hardware
        network.all.in.packets    90.1  - u64 counter count in_packets    | Packets received on all interfaces that have hardware
        network.all.in.errors     90.2  - u64 counter count in_errors     | Receive errors on all interfaces that have hardware
        network.all.in.drops      90.3  - u64 counter count in_drops      | Packets dropped on receipt on all interfaces that have hardware
        network.all.out.bytes     90.4  - u64 counter B     out_bytes     | Bytes sent on all interfaces that have hardware
        network.all.out.packets   90.5  - u64 counter count out_packets   | Packets sent on all interfaces that have hardware
        network.all.out.errors    90.6  - u64 counter count out_errors    | Send errors on all interfaces that have hardware
        network.all.out.drops     90.7  - u64 counter count out_drops     | Packets dropped before sending on all interfaces that have hardware
        network.all.total.bytes   90.8  - u64 counter B     total_bytes   | Bytes received and sent on all interfaces that have hardware
        network.all.total.packets 90.9  - u64 counter count total_packets | Packets received and sent on all interfaces that have hardware
        network.all.total.errors  90.10 - u64 counter count total_errors  | Errors on all interfaces that have hardware
        network.all.total.drops   90.11 - u64 counter count total_drops   | Packets dropped on all interfaces that have hardware
        """;

    public const string Addresses = """
        network.interface.inet_addr  33.0 17 string discrete none = | IPv4 address of the interface
        network.interface.ipv6_addr  33.1 17 string discrete none = | IPv6 address of the interface with its prefix
        network.interface.ipv6_scope 33.2 17 string discrete none = | Scope of the IPv6 address
        network.interface.hw_addr    33.3 17 string discrete none = | Hardware address of the interface
        """;

    public const string Sockets = """
        network.sockstat.total          11.9  - i32 instant count sockets.used   | Sockets in use, of every kind
        network.sockstat.tcp.inuse      11.0  - i32 instant count TCP.inuse      | TCP sockets over IPv4 in use
        network.sockstat.tcp.orphan     11.10 - i32 instant count TCP.orphan     | TCP sockets that no process has any more
        network.sockstat.tcp.tw         11.11 - i32 instant count TCP.tw         | TCP sockets in TIME_WAIT
        network.sockstat.tcp.alloc      11.12 - i32 instant count TCP.alloc      | TCP sockets allocated
        network.sockstat.tcp.mem        11.13 - i32 instant count TCP.mem        | Pages of TCP's buffers
        network.sockstat.udp.inuse      11.3  - i32 instant count UDP.inuse      | UDP sockets over IPv4 in use
        network.sockstat.udp.mem        11.14 - i32 instant count UDP.mem        | Pages of UDP's buffers
        network.sockstat.udplite.inuse  11.8  - i32 instant count UDPLITE.inuse  | UDP-Lite sockets over IPv4 in use
        network.sockstat.raw.inuse      11.6  - i32 instant count RAW.inuse      | Raw sockets over IPv4 in use
        network.sockstat.frag.inuse     11.15 - i32 instant count FRAG.inuse     | IPv4 packets being put together
        network.sockstat.frag.memory    11.16 - i32 instant count FRAG.memory    | Bytes of IPv4 fragments being put together
        network.sockstat.tcp6.inuse     73.0  - i32 instant count TCP6.inuse     | TCP sockets over IPv6 in use
        network.sockstat.udp6.inuse     73.1  - i32 instant count UDP6.inuse     | UDP sockets over IPv6 in use
        network.sockstat.udplite6.inuse 73.2  - i32 instant count UDPLITE6.inuse | UDP-Lite sockets over IPv6 in use
        network.sockstat.raw6.inuse     73.3  - i32 instant count RAW6.inuse     | Raw sockets over IPv6 in use
        network.sockstat.frag6.inuse    73.4  - i32 instant count FRAG6.inuse    | IPv6 packets being put together
        network.sockstat.frag6.memory   73.5  - i32 instant count FRAG6.memory   | Bytes of IPv6 fragments being put together
        """;

    public const string Packets = """
        network.softnet.processed               57.0  - u64 counter count =                | Packets processed
        network.softnet.dropped                 57.1  - u64 counter count =                | Packets dropped because the backlog was full
        network.softnet.time_squeeze            57.2  - u64 counter count =                | Times that processing stopped with work left
        network.softnet.cpu_collision           57.3  - u64 counter count =                | Times that two CPUs wanted one device's lock
        network.softnet.received_rps            57.4  - u64 counter count =                | Wake-ups for packets steered to a CPU
        network.softnet.flow_limit_count        57.5  - u64 counter count =                | Packets dropped by the limit of one flow
        network.softnet.percpu.processed        57.6  0 u64 counter count processed        | Packets processed by the CPU
        network.softnet.percpu.dropped          57.7  0 u64 counter count dropped          | Packets dropped because the CPU's backlog was full
        network.softnet.percpu.time_squeeze     57.8  0 u64 counter count time_squeeze     | Times that the CPU stopped processing with work left
        network.softnet.percpu.cpu_collision    57.9  0 u64 counter count cpu_collision    | Times that the CPU found a device's lock taken
        network.softnet.percpu.received_rps     57.10 0 u64 counter count received_rps     | Wake-ups of the CPU for packets steered to it
        network.softnet.percpu.flow_limit_count 57.11 0 u64 counter count flow_limit_count | Packets that the CPU dropped by the limit of one flow
        """;

    public const string Connections = """
        network.tcpconn.established     19.1  - u32 instant count tcpconn.established  | TCP sockets over IPv4 established
        network.tcpconn.syn_sent        19.2  - u32 instant count tcpconn.syn_sent     | TCP sockets over IPv4 that sent a SYN
        network.tcpconn.syn_recv        19.3  - u32 instant count tcpconn.syn_recv     | TCP sockets over IPv4 that received a SYN
        network.tcpconn.fin_wait1       19.4  - u32 instant count tcpconn.fin_wait1    | TCP sockets over IPv4 closed here and waiting for the acknowledgement
        network.tcpconn.fin_wait2       19.5  - u32 instant count tcpconn.fin_wait2    | TCP sockets over IPv4 closed here and waiting for the peer
        network.tcpconn.time_wait       19.6  - u32 instant count tcpconn.time_wait    | TCP sockets over IPv4 waiting for late packets
        network.tcpconn.close           19.7  - u32 instant count tcpconn.close        | TCP sockets over IPv4 not connected
        network.tcpconn.close_wait      19.8  - u32 instant count tcpconn.close_wait   | TCP sockets over IPv4 closed by the peer
        network.tcpconn.last_ack        19.9  - u32 instant count tcpconn.last_ack     | TCP sockets over IPv4 closed by both and waiting for the last acknowledgement
        network.tcpconn.listen          19.10 - u32 instant count tcpconn.listen       | TCP sockets over IPv4 listening
        network.tcpconn.closing         19.11 - u32 instant count tcpconn.closing      | TCP sockets over IPv4 closed by both at once
        network.tcpconn6.established    76.1  - u32 instant count tcpconn6.established | TCP sockets over IPv6 established
        network.tcpconn6.syn_sent       76.2  - u32 instant count tcpconn6.syn_sent    | TCP sockets over IPv6 that sent a SYN
        network.tcpconn6.syn_recv       76.3  - u32 instant count tcpconn6.syn_recv    | TCP sockets over IPv6 that received a SYN
        network.tcpconn6.fin_wait1      76.4  - u32 instant count tcpconn6.fin_wait1   | TCP sockets over IPv6 closed here and waiting for the acknowledgement
        network.tcpconn6.fin_wait2      76.5  - u32 instant count tcpconn6.fin_wait2   | TCP sockets over IPv6 closed here and waiting for the peer
        network.tcpconn6.time_wait      76.6  - u32 instant count tcpconn6.time_wait   | TCP sockets over IPv6 waiting for late packets
        network.tcpconn6.close          76.7  - u32 instant count tcpconn6.close       | TCP sockets over IPv6 not connected
        network.tcpconn6.close_wait     76.8  - u32 instant count tcpconn6.close_wait  | TCP sockets over IPv6 closed by the peer
        network.tcpconn6.last_ack       76.9  - u32 instant count tcpconn6.last_ack    | TCP sockets over IPv6 closed by both and waiting for the last acknowledgement
        network.tcpconn6.listen         76.10 - u32 instant count tcpconn6.listen      | TCP sockets over IPv6 listening
        network.tcpconn6.closing        76.11 - u32 instant count tcpconn6.closing     | TCP sockets over IPv6 closed by both at once
        network.udpconn.established     79.1  - u32 instant count udpconn.established  | UDP sockets over IPv4 connected to a peer
        network.udpconn.listen          79.2  - u32 instant count udpconn.listen       | UDP sockets over IPv4 open to every peer
        network.udpconn6.established    80.1  - u32 instant count udpconn6.established | UDP sockets over IPv6 connected to a peer
        network.udpconn6.listen         80.2  - u32 instant count udpconn6.listen      | UDP sockets over IPv6 open to every peer
        network.rawconn.count           77.1  - u32 instant count rawconn.count        | Raw sockets over IPv4
        network.rawconn6.count          78.1  - u32 instant count rawconn6.count       | Raw sockets over IPv6
        network.unix.datagram.count     81.1  - u32 instant count unix.datagram        | Unix datagram sockets
        network.unix.stream.count       81.4  - u32 instant count unix.stream          | Unix stream sockets
        network.unix.stream.listen      81.3  - u32 instant count unix.listen          | Unix stream sockets listening
        network.unix.stream.established 81.2  - u32 instant count unix.established     | Unix stream sockets connected
        """;
}
