namespace Muster.Metrics.Agents.Network;

/// <summary>What the protocols over IPv6 count. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class Protocol6Table
{
    public const string Lines = """
        network.icmp6.incsumerrors              58.36 - u64 counter count Icmp6InCsumErrors              | ICMPv6 messages received with a wrong checksum
        network.icmp6.indestunreachs            58.37 - u64 counter count Icmp6InDestUnreachs            | ICMPv6 "destination unreachable" received
        network.icmp6.inechoreplies             58.42 - u64 counter count Icmp6InEchoReplies             | ICMPv6 echo replies received
        network.icmp6.inechos                   58.41 - u64 counter count Icmp6InEchos                   | ICMPv6 echo requests received
        network.icmp6.inerrors                  58.33 - u64 counter count Icmp6InErrors                  | ICMPv6 messages received that were broken
        network.icmp6.ingroupmembqueries        58.43 - u64 counter count Icmp6InGroupMembQueries        | ICMPv6 queries for group members received
        network.icmp6.ingroupmembreductions     58.45 - u64 counter count Icmp6InGroupMembReductions     | ICMPv6 notes of members leaving a group received
        network.icmp6.ingroupmembresponses      58.44 - u64 counter count Icmp6InGroupMembResponses      | ICMPv6 reports of group members received
        network.icmp6.inmldv2reports            58.51 - u64 counter count Icmp6InMLDv2Reports            | ICMPv6 multicast listener reports, version 2 received
        network.icmp6.inmsgs                    58.32 - u64 counter count Icmp6InMsgs                    | ICMPv6 messages received
        network.icmp6.inneighboradvertisements  58.49 - u64 counter count Icmp6InNeighborAdvertisements  | ICMPv6 neighbour advertisements received
        network.icmp6.inneighborsolicits        58.48 - u64 counter count Icmp6InNeighborSolicits        | ICMPv6 neighbour solicitations received
        network.icmp6.inparmproblems            58.40 - u64 counter count Icmp6InParmProblems            | ICMPv6 "parameter problem" received
        network.icmp6.inpkttoobigs              58.38 - u64 counter count Icmp6InPktTooBigs              | ICMPv6 "packet too big" received
        network.icmp6.inredirects               58.50 - u64 counter count Icmp6InRedirects               | ICMPv6 redirects received
        network.icmp6.inrouteradvertisements    58.47 - u64 counter count Icmp6InRouterAdvertisements    | ICMPv6 router advertisements received
        network.icmp6.inroutersolicits          58.46 - u64 counter count Icmp6InRouterSolicits          | ICMPv6 router solicitations received
        network.icmp6.intimeexcds               58.39 - u64 counter count Icmp6InTimeExcds               | ICMPv6 "time exceeded" received
        network.icmp6.outdestunreachs           58.52 - u64 counter count Icmp6OutDestUnreachs           | ICMPv6 "destination unreachable" sent
        network.icmp6.outechoreplies            58.57 - u64 counter count Icmp6OutEchoReplies            | ICMPv6 echo replies sent
        network.icmp6.outechos                  58.56 - u64 counter count Icmp6OutEchos                  | ICMPv6 echo requests sent
        network.icmp6.outerrors                 58.35 - u64 counter count Icmp6OutErrors                 | ICMPv6 messages that could not be sent
        network.icmp6.outgroupmembqueries       58.58 - u64 counter count Icmp6OutGroupMembQueries       | ICMPv6 queries for group members sent
        network.icmp6.outgroupmembreductions    58.60 - u64 counter count Icmp6OutGroupMembReductions    | ICMPv6 notes of members leaving a group sent
        network.icmp6.outgroupmembresponses     58.59 - u64 counter count Icmp6OutGroupMembResponses     | ICMPv6 reports of group members sent
        network.icmp6.outmldv2reports           58.66 - u64 counter count Icmp6OutMLDv2Reports           | ICMPv6 multicast listener reports, version 2 sent
        network.icmp6.outmsgs                   58.34 - u64 counter count Icmp6OutMsgs                   | ICMPv6 messages sent
        network.icmp6.outneighboradvertisements 58.64 - u64 counter count Icmp6OutNeighborAdvertisements | ICMPv6 neighbour advertisements sent
        network.icmp6.outneighborsolicits       58.63 - u64 counter count Icmp6OutNeighborSolicits       | ICMPv6 neighbour solicitations sent
        network.icmp6.outparmproblems           58.55 - u64 counter count Icmp6OutParmProblems           | ICMPv6 "parameter problem" sent
        network.icmp6.outpkttoobigs             58.53 - u64 counter count Icmp6OutPktTooBigs             | ICMPv6 "packet too big" sent
        network.icmp6.outredirects              58.65 - u64 counter count Icmp6OutRedirects              | ICMPv6 redirects sent
        network.icmp6.outrouteradvertisements   58.62 - u64 counter count Icmp6OutRouterAdvertisements   | ICMPv6 router advertisements sent
        network.icmp6.outroutersolicits         58.61 - u64 counter count Icmp6OutRouterSolicits         | ICMPv6 router solicitations sent
        network.icmp6.outtimeexcds              58.54 - u64 counter count Icmp6OutTimeExcds              | ICMPv6 "time exceeded" sent
        network.ip6.fragcreates                 58.19 - u64 counter count Ip6FragCreates                 | IPv6 fragments made
        network.ip6.fragfails                   58.18 - u64 counter count Ip6FragFails                   | IPv6 packets that had to be divided but could not be
        network.ip6.fragoks                     58.17 - u64 counter count Ip6FragOKs                     | IPv6 packets divided into fragments
        network.ip6.inaddrerrors                58.4  - u64 counter count Ip6InAddrErrors                | IPv6 packets dropped for an address that is not valid here
        network.ip6.inbcastoctets               58.26 - u64 counter count Ip6InBcastOctets               | IPv6 bytes of broadcast received
        network.ip6.incepkts                    58.31 - u64 counter count Ip6InCEPkts                    | IPv6 packets received that met congestion
        network.ip6.indelivers                  58.8  - u64 counter count Ip6InDelivers                  | IPv6 packets handed to a protocol above
        network.ip6.indiscards                  58.7  - u64 counter count Ip6InDiscards                  | IPv6 good packets dropped on receipt
        network.ip6.inect0pkts                  58.30 - u64 counter count Ip6InECT0Pkts                  | IPv6 packets received with the mark ECT(0)
        network.ip6.inect1pkts                  58.29 - u64 counter count Ip6InECT1Pkts                  | IPv6 packets received with the mark ECT(1)
        network.ip6.inhdrerrors                 58.1  - u64 counter count Ip6InHdrErrors                 | IPv6 packets dropped for a broken header
        network.ip6.inmcastoctets               58.24 - u64 counter count Ip6InMcastOctets               | IPv6 bytes of multicast received
        network.ip6.inmcastpkts                 58.20 - u64 counter count Ip6InMcastPkts                 | IPv6 multicast packets received
        network.ip6.innoectpkts                 58.28 - u64 counter count Ip6InNoECTPkts                 | IPv6 packets received that cannot signal congestion
        network.ip6.innoroutes                  58.3  - u64 counter count Ip6InNoRoutes                  | IPv6 packets received for which there is no route
        network.ip6.inoctets                    58.22 - u64 counter count Ip6InOctets                    | IPv6 bytes received
        network.ip6.inreceives                  58.0  - u64 counter count Ip6InReceives                  | IPv6 packets received, errors included
        network.ip6.intoobigerrors              58.2  - u64 counter count Ip6InTooBigErrors              | IPv6 packets too big for the next link
        network.ip6.intruncatedpkts             58.6  - u64 counter count Ip6InTruncatedPkts             | IPv6 packets received that were cut short
        network.ip6.inunknownprotos             58.5  - u64 counter count Ip6InUnknownProtos             | IPv6 packets for a protocol that is not known here
        network.ip6.outbcastoctets              58.27 - u64 counter count Ip6OutBcastOctets              | IPv6 bytes of broadcast sent
        network.ip6.outdiscards                 58.11 - u64 counter count Ip6OutDiscards                 | IPv6 good packets dropped before sending
        network.ip6.outforwdatagrams            58.9  - u64 counter count Ip6OutForwDatagrams            | IPv6 packets forwarded
        network.ip6.outmcastoctets              58.25 - u64 counter count Ip6OutMcastOctets              | IPv6 bytes of multicast sent
        network.ip6.outmcastpkts                58.21 - u64 counter count Ip6OutMcastPkts                | IPv6 multicast packets sent
        network.ip6.outnoroutes                 58.12 - u64 counter count Ip6OutNoRoutes                 | IPv6 packets dropped for lack of a route
        network.ip6.outoctets                   58.23 - u64 counter count Ip6OutOctets                   | IPv6 bytes sent
        network.ip6.outrequests                 58.10 - u64 counter count Ip6OutRequests                 | IPv6 packets that protocols above asked to send
        network.ip6.reasmfails                  58.16 - u64 counter count Ip6ReasmFails                  | IPv6 packets that could not be put together
        network.ip6.reasmoks                    58.15 - u64 counter count Ip6ReasmOKs                    | IPv6 packets put together from fragments
        network.ip6.reasmreqds                  58.14 - u64 counter count Ip6ReasmReqds                  | IPv6 fragments received that had to be put together
        network.ip6.reasmtimeout                58.13 - u64 counter count Ip6ReasmTimeout                | IPv6 fragments that waited too long for the rest
        network.udp6.ignoredmulti               58.74 - u64 counter count Udp6IgnoredMulti               | UDP over IPv6 multicast datagrams that nobody had joined
        network.udp6.incsumerrors               58.73 - u64 counter count Udp6InCsumErrors               | UDP over IPv6 datagrams received with a wrong checksum
        network.udp6.indatagrams                58.67 - u64 counter count Udp6InDatagrams                | UDP over IPv6 datagrams received and delivered
        network.udp6.inerrors                   58.69 - u64 counter count Udp6InErrors                   | UDP over IPv6 datagrams received that could not be delivered for other reasons
        network.udp6.noports                    58.68 - u64 counter count Udp6NoPorts                    | UDP over IPv6 datagrams received for a port that nobody has
        network.udp6.outdatagrams               58.70 - u64 counter count Udp6OutDatagrams               | UDP over IPv6 datagrams sent
        network.udp6.rcvbuferrors               58.71 - u64 counter count Udp6RcvbufErrors               | UDP over IPv6 datagrams dropped because a receive buffer was full
        network.udp6.sndbuferrors               58.72 - u64 counter count Udp6SndbufErrors               | UDP over IPv6 datagrams not sent because a send buffer was full
        network.udplite6.incsumerrors           58.81 - u64 counter count UdpLite6InCsumErrors           | UDP-Lite over IPv6 datagrams received with a wrong checksum
        network.udplite6.indatagrams            58.75 - u64 counter count UdpLite6InDatagrams            | UDP-Lite over IPv6 datagrams received and delivered
        network.udplite6.inerrors               58.77 - u64 counter count UdpLite6InErrors               | UDP-Lite over IPv6 datagrams received that could not be delivered for other reasons
        network.udplite6.noports                58.76 - u64 counter count UdpLite6NoPorts                | UDP-Lite over IPv6 datagrams received for a port that nobody has
        network.udplite6.outdatagrams           58.78 - u64 counter count UdpLite6OutDatagrams           | UDP-Lite over IPv6 datagrams sent
        network.udplite6.rcvbuferrors           58.79 - u64 counter count UdpLite6RcvbufErrors           | UDP-Lite over IPv6 datagrams dropped because a receive buffer was full
        network.udplite6.sndbuferrors           58.80 - u64 counter count UdpLite6SndbufErrors           | UDP-Lite over IPv6 datagrams not sent because a send buffer was full
        """;
}
