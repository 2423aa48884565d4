namespace Muster.Metrics.Agents.Network;

/// <summary>What the network protocols count. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class ProtocolTables
{
    public const string Version4 = """
        network.icmp.inaddrmaskreps           14.32  - u64 counter count Icmp.InAddrMaskReps              | ICMP address mask replies received
        network.icmp.inaddrmasks              14.31  - u64 counter count Icmp.InAddrMasks                 | ICMP address mask requests received
        network.icmp.incsumerrors             14.46  - u64 counter count Icmp.InCsumErrors                | ICMP messages received with a wrong checksum
        network.icmp.indestunreachs           14.22  - u64 counter count Icmp.InDestUnreachs              | ICMP "destination unreachable" received
        network.icmp.inechoreps               14.28  - u64 counter count Icmp.InEchoReps                  | ICMP echo replies received
        network.icmp.inechos                  14.27  - u64 counter count Icmp.InEchos                     | ICMP echo requests received
        network.icmp.inerrors                 14.21  - u64 counter count Icmp.InErrors                    | ICMP messages received that were broken
        network.icmp.inmsgs                   14.20  - u64 counter count Icmp.InMsgs                      | ICMP messages received
        network.icmp.inparmprobs              14.24  - u64 counter count Icmp.InParmProbs                 | ICMP "parameter problem" received
        network.icmp.inredirects              14.26  - u64 counter count Icmp.InRedirects                 | ICMP redirects received
        network.icmp.insrcquenchs             14.25  - u64 counter count Icmp.InSrcQuenchs                | ICMP "source quench" received
        network.icmp.intimeexcds              14.23  - u64 counter count Icmp.InTimeExcds                 | ICMP "time exceeded" received
        network.icmp.intimestampreps          14.30  - u64 counter count Icmp.InTimestampReps             | ICMP timestamp replies received
        network.icmp.intimestamps             14.29  - u64 counter count Icmp.InTimestamps                | ICMP timestamp requests received
        network.icmp.outaddrmaskreps          14.45  - u64 counter count Icmp.OutAddrMaskReps             | ICMP address mask replies sent
        network.icmp.outaddrmasks             14.44  - u64 counter count Icmp.OutAddrMasks                | ICMP address mask requests sent
        network.icmp.outdestunreachs          14.35  - u64 counter count Icmp.OutDestUnreachs             | ICMP "destination unreachable" sent
        network.icmp.outechoreps              14.41  - u64 counter count Icmp.OutEchoReps                 | ICMP echo replies sent
        network.icmp.outechos                 14.40  - u64 counter count Icmp.OutEchos                    | ICMP echo requests sent
        network.icmp.outerrors                14.34  - u64 counter count Icmp.OutErrors                   | ICMP messages that could not be sent
        network.icmp.outmsgs                  14.33  - u64 counter count Icmp.OutMsgs                     | ICMP messages sent
        network.icmp.outparmprobs             14.37  - u64 counter count Icmp.OutParmProbs                | ICMP "parameter problem" sent
        network.icmp.outredirects             14.39  - u64 counter count Icmp.OutRedirects                | ICMP redirects sent
        network.icmp.outsrcquenchs            14.38  - u64 counter count Icmp.OutSrcQuenchs               | ICMP "source quench" sent
        network.icmp.outtimeexcds             14.36  - u64 counter count Icmp.OutTimeExcds                | ICMP "time exceeded" sent
        network.icmp.outtimestampreps         14.43  - u64 counter count Icmp.OutTimestampReps            | ICMP timestamp replies sent
        network.icmp.outtimestamps            14.42  - u64 counter count Icmp.OutTimestamps               | ICMP timestamp requests sent
        network.ip.cepkts                     53.16  - u64 counter count IpExt.InCEPkts                   | IPv4 packets received that met congestion
        network.ip.csumerrors                 53.12  - u64 counter count IpExt.InCsumErrors               | IPv4 packets received with a wrong checksum
        network.ip.defaultttl                 14.1   - u64 counter count Ip.DefaultTTL                    | Time to live of packets sent
        network.ip.ect0pkts                   53.15  - u64 counter count IpExt.InECT0Pkts                 | IPv4 packets received with the mark ECT(0)
        network.ip.ect1pkts                   53.14  - u64 counter count IpExt.InECT1Pkts                 | IPv4 packets received with the mark ECT(1)
        network.ip.forwarding                 14.0   - u64 counter count Ip.Forwarding                    | 1 when packets are forwarded, else 2
        network.ip.forwdatagrams              14.5   - u64 counter count Ip.ForwDatagrams                 | IPv4 packets forwarded
        network.ip.fragcreates                14.18  - u64 counter count Ip.FragCreates                   | IPv4 fragments made
        network.ip.fragfails                  14.17  - u64 counter count Ip.FragFails                     | IPv4 packets that had to be divided but must not be
        network.ip.fragoks                    14.16  - u64 counter count Ip.FragOKs                       | IPv4 packets divided into fragments
        network.ip.inaddrerrors               14.4   - u64 counter count Ip.InAddrErrors                  | IPv4 packets dropped for an address that is not valid here
        network.ip.inbcastoctets              53.10  - u64 counter count IpExt.InBcastOctets              | Bytes of IPv4 broadcast packets received
        network.ip.inbcastpkts                53.4   - u64 counter count IpExt.InBcastPkts                | IPv4 broadcast packets received
        network.ip.indelivers                 14.8   - u64 counter count Ip.InDelivers                    | IPv4 packets handed to a protocol above
        network.ip.indiscards                 14.7   - u64 counter count Ip.InDiscards                    | Good IPv4 packets dropped on receipt, for lack of memory for instance
        network.ip.inhdrerrors                14.3   - u64 counter count Ip.InHdrErrors                   | IPv4 packets dropped for a broken header
        network.ip.inmcastoctets              53.8   - u64 counter count IpExt.InMcastOctets              | Bytes of IPv4 multicast packets received
        network.ip.inmcastpkts                53.2   - u64 counter count IpExt.InMcastPkts                | IPv4 multicast packets received
        network.ip.innoroutes                 53.0   - u64 counter count IpExt.InNoRoutes                 | IPv4 packets received for which there is no route
        network.ip.inoctets                   53.6   - u64 counter count IpExt.InOctets                   | Bytes of IPv4 packets received
        network.ip.inreceives                 14.2   - u64 counter count Ip.InReceives                    | IPv4 packets received, errors included
        network.ip.intruncatedpkts            53.1   - u64 counter count IpExt.InTruncatedPkts            | IPv4 packets received that were cut short
        network.ip.inunknownprotos            14.6   - u64 counter count Ip.InUnknownProtos               | IPv4 packets for a protocol that is not known here
        network.ip.noectpkts                  53.13  - u64 counter count IpExt.InNoECTPkts                | IPv4 packets received that cannot signal congestion
        network.ip.outbcastoctets             53.11  - u64 counter count IpExt.OutBcastOctets             | Bytes of IPv4 broadcast packets sent
        network.ip.outbcastpkts               53.5   - u64 counter count IpExt.OutBcastPkts               | IPv4 broadcast packets sent
        network.ip.outdiscards                14.10  - u64 counter count Ip.OutDiscards                   | Good IPv4 packets dropped before sending
        network.ip.outmcastoctets             53.9   - u64 counter count IpExt.OutMcastOctets             | Bytes of IPv4 multicast packets sent
        network.ip.outmcastpkts               53.3   - u64 counter count IpExt.OutMcastPkts               | IPv4 multicast packets sent
        network.ip.outnoroutes                14.11  - u64 counter count Ip.OutNoRoutes                   | IPv4 packets dropped for lack of a route
        network.ip.outoctets                  53.7   - u64 counter count IpExt.OutOctets                  | Bytes of IPv4 packets sent
        network.ip.outrequests                14.9   - u64 counter count Ip.OutRequests                   | IPv4 packets that protocols above asked to send
        network.ip.reasmfails                 14.15  - u64 counter count Ip.ReasmFails                    | IPv4 packets that could not be put together
        network.ip.reasmoks                   14.14  - u64 counter count Ip.ReasmOKs                      | IPv4 packets put together from fragments
        network.ip.reasmoverlaps              53.168 - u64 counter count IpExt.ReasmOverlaps              | IPv4 fragments that overlapped
        network.ip.reasmreqds                 14.13  - u64 counter count Ip.ReasmReqds                    | IPv4 fragments received that had to be put together
        network.ip.reasmtimeout               14.12  - u64 counter count Ip.ReasmTimeout                  | IPv4 fragments that waited too long for the rest
        network.mptcp.addaddr                 53.176 - u64 counter count MPTcpExt.AddAddr                 | Multipath TCP: what the kernel counts as AddAddr
        network.mptcp.addaddrdrop             53.194 - u64 counter count MPTcpExt.AddAddrDrop             | Multipath TCP: what the kernel counts as AddAddrDrop
        network.mptcp.datacsumerr             53.170 - u64 counter count MPTcpExt.DataCsumErr             | Multipath TCP: what the kernel counts as DataCsumErr
        network.mptcp.dssnomatchtcp           53.169 - u64 counter count MPTcpExt.DSSNoMatchTCP           | Multipath TCP: what the kernel counts as DSSNoMatchTCP
        network.mptcp.dssnotmatching          53.130 - u64 counter count MPTcpExt.DSSNotMatching          | Multipath TCP: what the kernel counts as DSSNotMatching
        network.mptcp.duplicatedata           53.175 - u64 counter count MPTcpExt.DuplicateData           | Multipath TCP: what the kernel counts as DuplicateData
        network.mptcp.echoadd                 53.177 - u64 counter count MPTcpExt.EchoAdd                 | Multipath TCP: what the kernel counts as EchoAdd
        network.mptcp.infinitemaprx           53.131 - u64 counter count MPTcpExt.InfiniteMapRx           | Multipath TCP: what the kernel counts as InfiniteMapRx
        network.mptcp.infinitemaptx           53.200 - u64 counter count MPTcpExt.InfiniteMapTx           | Multipath TCP: what the kernel counts as InfiniteMapTx
        network.mptcp.mismatchportackrx       53.183 - u64 counter count MPTcpExt.MismatchPortAckRx       | Multipath TCP: what the kernel counts as MismatchPortAckRx
        network.mptcp.mismatchportsynrx       53.182 - u64 counter count MPTcpExt.MismatchPortSynRx       | Multipath TCP: what the kernel counts as MismatchPortSynRx
        network.mptcp.mpcapableackrx          53.120 - u64 counter count MPTcpExt.MPCapableACKRX          | Multipath TCP: what the kernel counts as MPCapableACKRX
        network.mptcp.mpcapablefallbackack    53.121 - u64 counter count MPTcpExt.MPCapableFallbackACK    | Multipath TCP: what the kernel counts as MPCapableFallbackACK
        network.mptcp.mpcapablefallbacksynack 53.122 - u64 counter count MPTcpExt.MPCapableFallbackSYNACK | Multipath TCP: what the kernel counts as MPCapableFallbackSYNACK
        network.mptcp.mpcapablesynackrx       53.139 - u64 counter count MPTcpExt.MPCapableSYNACKRX       | Multipath TCP: what the kernel counts as MPCapableSYNACKRX
        network.mptcp.mpcapablesynrx          53.119 - u64 counter count MPTcpExt.MPCapableSYNRX          | Multipath TCP: what the kernel counts as MPCapableSYNRX
        network.mptcp.mpcapablesyntx          53.138 - u64 counter count MPTcpExt.MPCapableSYNTX          | Multipath TCP: what the kernel counts as MPCapableSYNTX
        network.mptcp.mpfailrx                53.191 - u64 counter count MPTcpExt.MPFailRx                | Multipath TCP: what the kernel counts as MPFailRx
        network.mptcp.mpfailtx                53.190 - u64 counter count MPTcpExt.MPFailTx                | Multipath TCP: what the kernel counts as MPFailTx
        network.mptcp.mpfallbacktokeninit     53.140 - u64 counter count MPTcpExt.MPFallbackTokenInit     | Multipath TCP: what the kernel counts as MPFallbackTokenInit
        network.mptcp.mpfastcloserx           53.197 - u64 counter count MPTcpExt.MPFastcloseRx           | Multipath TCP: what the kernel counts as MPFastcloseRx
        network.mptcp.mpfastclosetx           53.196 - u64 counter count MPTcpExt.MPFastcloseTx           | Multipath TCP: what the kernel counts as MPFastcloseTx
        network.mptcp.mpjoinackhmacfailure    53.129 - u64 counter count MPTcpExt.MPJoinAckHMacFailure    | Multipath TCP: what the kernel counts as MPJoinAckHMacFailure
        network.mptcp.mpjoinackrx             53.128 - u64 counter count MPTcpExt.MPJoinAckRx             | Multipath TCP: what the kernel counts as MPJoinAckRx
        network.mptcp.mpjoinnotokenfound      53.124 - u64 counter count MPTcpExt.MPJoinNoTokenFound      | Multipath TCP: what the kernel counts as MPJoinNoTokenFound
        network.mptcp.mpjoinportackrx         53.181 - u64 counter count MPTcpExt.MPJoinPortAckRx         | Multipath TCP: what the kernel counts as MPJoinPortAckRx
        network.mptcp.mpjoinportsynackrx      53.180 - u64 counter count MPTcpExt.MPJoinPortSynAckRx      | Multipath TCP: what the kernel counts as MPJoinPortSynAckRx
        network.mptcp.mpjoinportsynrx         53.179 - u64 counter count MPTcpExt.MPJoinPortSynRx         | Multipath TCP: what the kernel counts as MPJoinPortSynRx
        network.mptcp.mpjoinsynackhmacfailure 53.127 - u64 counter count MPTcpExt.MPJoinSynAckHMacFailure | Multipath TCP: what the kernel counts as MPJoinSynAckHMacFailure
        network.mptcp.mpjoinsynackrx          53.126 - u64 counter count MPTcpExt.MPJoinSynAckRx          | Multipath TCP: what the kernel counts as MPJoinSynAckRx
        network.mptcp.mpjoinsynrx             53.125 - u64 counter count MPTcpExt.MPJoinSynRx             | Multipath TCP: what the kernel counts as MPJoinSynRx
        network.mptcp.mppriorx                53.187 - u64 counter count MPTcpExt.MPPrioRx                | Multipath TCP: what the kernel counts as MPPrioRx
        network.mptcp.mppriotx                53.186 - u64 counter count MPTcpExt.MPPrioTx                | Multipath TCP: what the kernel counts as MPPrioTx
        network.mptcp.mprstrx                 53.199 - u64 counter count MPTcpExt.MPRstRx                 | Multipath TCP: what the kernel counts as MPRstRx
        network.mptcp.mprsttx                 53.198 - u64 counter count MPTcpExt.MPRstTx                 | Multipath TCP: what the kernel counts as MPRstTx
        network.mptcp.mptcpretrans            53.123 - u64 counter count MPTcpExt.MPTCPRetrans            | Multipath TCP: what the kernel counts as MPTCPRetrans
        network.mptcp.nodssinwindow           53.174 - u64 counter count MPTcpExt.NoDSSInWindow           | Multipath TCP: what the kernel counts as NoDSSInWindow
        network.mptcp.ofomerge                53.173 - u64 counter count MPTcpExt.OFOMerge                | Multipath TCP: what the kernel counts as OFOMerge
        network.mptcp.ofoqueue                53.172 - u64 counter count MPTcpExt.OFOQueue                | Multipath TCP: what the kernel counts as OFOQueue
        network.mptcp.ofoqueuetail            53.171 - u64 counter count MPTcpExt.OFOQueueTail            | Multipath TCP: what the kernel counts as OFOQueueTail
        network.mptcp.portadd                 53.178 - u64 counter count MPTcpExt.PortAdd                 | Multipath TCP: what the kernel counts as PortAdd
        network.mptcp.rcvwndconflict          53.204 - u64 counter count MPTcpExt.RcvWndConflict          | Multipath TCP: what the kernel counts as RcvWndConflict
        network.mptcp.rcvwndconflictupdate    53.203 - u64 counter count MPTcpExt.RcvWndConflictUpdate    | Multipath TCP: what the kernel counts as RcvWndConflictUpdate
        network.mptcp.rcvwndshared            53.202 - u64 counter count MPTcpExt.RcvWndShared            | Multipath TCP: what the kernel counts as RcvWndShared
        network.mptcp.rmaddr                  53.184 - u64 counter count MPTcpExt.RmAddr                  | Multipath TCP: what the kernel counts as RmAddr
        network.mptcp.rmaddrdrop              53.195 - u64 counter count MPTcpExt.RmAddrDrop              | Multipath TCP: what the kernel counts as RmAddrDrop
        network.mptcp.rmsubflow               53.185 - u64 counter count MPTcpExt.RmSubflow               | Multipath TCP: what the kernel counts as RmSubflow
        network.mptcp.sndwndshared            53.201 - u64 counter count MPTcpExt.SndWndShared            | Multipath TCP: what the kernel counts as SndWndShared
        network.mptcp.subflowrecover          53.193 - u64 counter count MPTcpExt.SubflowRecover          | Multipath TCP: what the kernel counts as SubflowRecover
        network.mptcp.subflowstale            53.192 - u64 counter count MPTcpExt.SubflowStale            | Multipath TCP: what the kernel counts as SubflowStale
        network.tcp.abortfailed               53.80  - u64 counter count TcpExt.TCPAbortFailed            | Resets that could not be sent
        network.tcp.abortonclose              53.76  - u64 counter count TcpExt.TCPAbortOnClose           | Connections reset because unread data was there at close
        network.tcp.abortondata               53.75  - u64 counter count TcpExt.TCPAbortOnData            | Connections reset because data came after close
        network.tcp.abortonlinger             53.79  - u64 counter count TcpExt.TCPAbortOnLinger          | Connections reset when lingering was over
        network.tcp.abortonmemory             53.77  - u64 counter count TcpExt.TCPAbortOnMemory          | Connections reset for lack of memory
        network.tcp.abortontimeout            53.78  - u64 counter count TcpExt.TCPAbortOnTimeout         | Connections ended after too many time-outs
        network.tcp.activeopens               14.54  - u64 counter count Tcp.ActiveOpens                  | Connections opened from here
        network.tcp.arpfilter                 53.26  - u64 counter count TcpExt.ArpFilter                 | ARP requests not answered because of a filter
        network.tcp.attemptfails              14.56  - u64 counter count Tcp.AttemptFails                 | Connections that were not established
        network.tcp.autocorking               53.113 - u64 counter count TcpExt.TCPAutoCorking            | Small writes joined automatically
        network.tcp.backlogdrop               53.91  - u64 counter count TcpExt.TCPBacklogDrop            | Segments dropped because a socket's backlog was full
        network.tcp.busypollrxpackets         53.112 - u64 counter count TcpExt.BusyPollRxPackets         | Packets received by busy polling
        network.tcp.challengeack              53.103 - u64 counter count TcpExt.TCPChallengeACK           | Challenge acknowledgements sent
        network.tcp.currestab                 14.58  - u64 instant none  Tcp.CurrEstab                    | Connections established or half closed
        network.tcp.deferacceptdrop           53.93  - u64 counter count TcpExt.TCPDeferAcceptDrop        | Acknowledgements dropped while waiting for the first data
        network.tcp.delayedacklocked          53.34  - u64 counter count TcpExt.DelayedACKLocked          | Acknowledgements delayed further because the socket was locked
        network.tcp.delayedacklost            53.35  - u64 counter count TcpExt.DelayedACKLost            | Times that a segment came again because its acknowledgement was lost or late
        network.tcp.delayedacks               53.33  - u64 counter count TcpExt.DelayedACKs               | Delayed acknowledgements sent
        network.tcp.dsackignorednoundo        53.84  - u64 counter count TcpExt.TCPDSACKIgnoredNoUndo     | Reported duplicates ignored because nothing was to undo
        network.tcp.dsackignoredold           53.83  - u64 counter count TcpExt.TCPDSACKIgnoredOld        | Reported duplicates ignored because they were old
        network.tcp.dsackoforecv              53.74  - u64 counter count TcpExt.TCPDSACKOfoRecv           | Out-of-order duplicates that a peer reported
        network.tcp.dsackofosent              53.72  - u64 counter count TcpExt.TCPDSACKOfoSent           | Duplicates reported for out-of-order segments
        network.tcp.dsackoldsent              53.71  - u64 counter count TcpExt.TCPDSACKOldSent           | Duplicates reported for old segments
        network.tcp.dsackrecv                 53.73  - u64 counter count TcpExt.TCPDSACKRecv              | Duplicates that a peer reported
        network.tcp.dsackundo                 53.55  - u64 counter count TcpExt.TCPDSACKUndo              | Congestion windows restored after a duplicate was reported
        network.tcp.embryonicrsts             53.20  - u64 counter count TcpExt.EmbryonicRsts             | Resets received for half-open connections
        network.tcp.estabresets               14.57  - u64 counter count Tcp.EstabResets                  | Established connections that were reset
        network.tcp.fastopenactive            53.105 - u64 counter count TcpExt.TCPFastOpenActive         | Fast opens from here that succeeded
        network.tcp.fastopenactivefail        53.106 - u64 counter count TcpExt.TCPFastOpenActiveFail     | Fast opens from here that failed
        network.tcp.fastopencookiereqd        53.110 - u64 counter count TcpExt.TCPFastOpenCookieReqd     | Requests for a fast-open cookie
        network.tcp.fastopenlistenoverflow    53.109 - u64 counter count TcpExt.TCPFastOpenListenOverflow | Fast opens refused because too many were pending
        network.tcp.fastopenpassive           53.107 - u64 counter count TcpExt.TCPFastOpenPassive        | Fast opens accepted here
        network.tcp.fastopenpassivefail       53.108 - u64 counter count TcpExt.TCPFastOpenPassiveFail    | Fast opens here that failed
        network.tcp.fastretrans               53.61  - u64 counter count TcpExt.TCPFastRetrans            | Fast retransmissions
        network.tcp.fromzerowindowadv         53.114 - u64 counter count TcpExt.TCPFromZeroWindowAdv      | Times that the announced window rose from zero
        network.tcp.fullundo                  53.53  - u64 counter count TcpExt.TCPFullUndo               | Congestion windows restored in full
        network.tcp.hpacks                    53.45  - u64 counter count TcpExt.TCPHPAcks                 | Acknowledgements taken by the fast path
        network.tcp.hphits                    53.42  - u64 counter count TcpExt.TCPHPHits                 | Segments taken by the fast path
        network.tcp.incsumerrors              14.64  - u64 counter count Tcp.InCsumErrors                 | Segments received with a wrong checksum
        network.tcp.inerrs                    14.62  - u64 counter count Tcp.InErrs                       | Segments received that were broken
        network.tcp.insegs                    14.59  - u64 counter count Tcp.InSegs                       | Segments received
        network.tcp.iprpfilter                53.94  - u64 counter count TcpExt.IPReversePathFilter       | Packets dropped by the reverse path filter
        network.tcp.listendrops               53.37  - u64 counter count TcpExt.ListenDrops               | Connection attempts dropped
        network.tcp.listenoverflows           53.36  - u64 counter count TcpExt.ListenOverflows           | Times that a queue of waiting connections was full
        network.tcp.lockdroppedicmps          53.25  - u64 counter count TcpExt.LockDroppedIcmps          | ICMP messages dropped because the socket was locked
        network.tcp.lossfailures              53.60  - u64 counter count TcpExt.TCPLossFailures           | Time-outs in the state of loss
        network.tcp.lossproberecovery         53.66  - u64 counter count TcpExt.TCPLossProbeRecovery      | Losses repaired by a probe
        network.tcp.lossprobes                53.65  - u64 counter count TcpExt.TCPLossProbes             | Probes sent for a loss at the tail
        network.tcp.lossundo                  53.56  - u64 counter count TcpExt.TCPLossUndo               | Congestion windows restored after a wrong time-out
        network.tcp.lostretransmit            53.57  - u64 counter count TcpExt.TCPLostRetransmit         | Retransmissions that were lost
        network.tcp.maxconn                   14.53  - u64 instant none  Tcp.MaxConn                      | Connections at most; -1 for no limit
        network.tcp.md5notfound               53.86  - u64 counter count TcpExt.TCPMD5NotFound            | Segments without the MD5 signature that was expected
        network.tcp.md5unexpected             53.87  - u64 counter count TcpExt.TCPMD5Unexpected          | Segments with an MD5 signature that was not expected
        network.tcp.memorypressures           53.81  - u64 counter count TcpExt.TCPMemoryPressures        | Times that TCP came under memory pressure
        network.tcp.minttldrop                53.92  - u64 counter count TcpExt.TCPMinTTLDrop             | Segments dropped for a too small time to live
        network.tcp.ofodrop                   53.101 - u64 counter count TcpExt.TCPOFODrop                | Out-of-order segments dropped because the buffer was full
        network.tcp.ofomerge                  53.102 - u64 counter count TcpExt.TCPOFOMerge               | Out-of-order segments that overlapped others
        network.tcp.ofopruned                 53.23  - u64 counter count TcpExt.OfoPruned                 | Out-of-order packets dropped to save memory
        network.tcp.ofoqueue                  53.100 - u64 counter count TcpExt.TCPOFOQueue               | Segments queued out of order
        network.tcp.origdatasent              53.118 - u64 counter count TcpExt.TCPOrigDataSent           | Segments with data sent the first time
        network.tcp.outofwindowicmps          53.24  - u64 counter count TcpExt.OutOfWindowIcmps          | ICMP messages dropped because they were outside the window
        network.tcp.outrsts                   14.63  - u64 counter count Tcp.OutRsts                      | Resets sent
        network.tcp.outsegs                   14.60  - u64 counter count Tcp.OutSegs                      | Segments sent, retransmissions not included
        network.tcp.partialundo               53.54  - u64 counter count TcpExt.TCPPartialUndo            | Congestion windows restored after a partial acknowledgement
        network.tcp.passiveopens              14.55  - u64 counter count Tcp.PassiveOpens                 | Connections accepted here
        network.tcp.pawsactiverejected        53.31  - u64 counter count TcpExt.PAWSActive                | Connection attempts rejected by their timestamp
        network.tcp.pawsestabrejected         53.32  - u64 counter count TcpExt.PAWSEstab                 | Segments of connections rejected by their timestamp
        network.tcp.pfmemallocdrop            53.135 - u64 counter count TcpExt.PFMemallocDrop            | Packets dropped because they used memory reserves
        network.tcp.prunecalled               53.21  - u64 counter count TcpExt.PruneCalled               | Times that receive buffers were squeezed
        network.tcp.pureacks                  53.44  - u64 counter count TcpExt.TCPPureAcks               | Acknowledgements received without data
        network.tcp.rcvcoalesce               53.99  - u64 counter count TcpExt.TCPRcvCoalesce            | Segments joined on receipt
        network.tcp.rcvcollapsed              53.70  - u64 counter count TcpExt.TCPRcvCollapsed           | Packets joined in receive queues to save memory
        network.tcp.rcvpruned                 53.22  - u64 counter count TcpExt.RcvPruned                 | Packets dropped from receive queues to save memory
        network.tcp.renofailures              53.58  - u64 counter count TcpExt.TCPRenoFailures           | Time-outs after a fast retransmit
        network.tcp.renorecovery              53.46  - u64 counter count TcpExt.TCPRenoRecovery           | Recoveries from loss by fast retransmit
        network.tcp.renorecoveryfail          53.67  - u64 counter count TcpExt.TCPRenoRecoveryFail       | Fast retransmissions that were not sent
        network.tcp.renoreorder               53.51  - u64 counter count TcpExt.TCPRenoReorder            | Reordering found by duplicate acknowledgements
        network.tcp.reqqfulldocookies         53.96  - u64 counter count TcpExt.TCPReqQFullDoCookies      | SYN cookies sent because a request queue was full
        network.tcp.reqqfulldrop              53.97  - u64 counter count TcpExt.TCPReqQFullDrop           | Connection requests dropped because a queue was full
        network.tcp.retransfail               53.98  - u64 counter count TcpExt.TCPRetransFail            | Retransmissions that failed
        network.tcp.retranssegs               14.61  - u64 counter count Tcp.RetransSegs                  | Segments sent again
        network.tcp.rtoalgorithm              14.50  - u64 instant none  Tcp.RtoAlgorithm                 | How the time until a retransmission is found (RFC 1213)
        network.tcp.rtomax                    14.52  - u64 instant ms    Tcp.RtoMax                       | Longest time until a retransmission
        network.tcp.rtomin                    14.51  - u64 instant ms    Tcp.RtoMin                       | Shortest time until a retransmission
        network.tcp.sackdiscard               53.82  - u64 counter count TcpExt.TCPSACKDiscard            | Selective acknowledgements discarded
        network.tcp.sackfailures              53.59  - u64 counter count TcpExt.TCPSackFailures           | Time-outs during recovery by selective acknowledgement
        network.tcp.sackmerged                53.89  - u64 counter count TcpExt.TCPSackMerged             | Buffers merged by selective acknowledgement
        network.tcp.sackrecovery              53.47  - u64 counter count TcpExt.TCPSackRecovery           | Recoveries from loss by selective acknowledgement
        network.tcp.sackrecoveryfail          53.68  - u64 counter count TcpExt.TCPSackRecoveryFail       | Retransmissions by selective acknowledgement that were not sent
        network.tcp.sackreneging              53.48  - u64 counter count TcpExt.TCPSACKReneging           | Selective acknowledgements taken back by the peer
        network.tcp.sackreorder               53.50  - u64 counter count TcpExt.TCPSACKReorder            | Reordering found by selective acknowledgement
        network.tcp.sackshifted               53.88  - u64 counter count TcpExt.TCPSackShifted            | Buffers shifted by selective acknowledgement
        network.tcp.sackshiftfallback         53.90  - u64 counter count TcpExt.TCPSackShiftFallback      | Buffers that could be neither shifted nor merged
        network.tcp.slowstartretrans          53.63  - u64 counter count TcpExt.TCPSlowStartRetrans       | Retransmissions in slow start
        network.tcp.spuriousrtos              53.85  - u64 counter count TcpExt.TCPSpuriousRTOs           | Time-outs that were wrong
        network.tcp.spuriousrtxhostqueues     53.111 - u64 counter count TcpExt.TCPSpuriousRtxHostQueues  | Retransmissions left out because the first was still queued here
        network.tcp.synchallenge              53.104 - u64 counter count TcpExt.TCPSYNChallenge           | Challenge acknowledgements sent for a SYN
        network.tcp.syncookiesfailed          53.19  - u64 counter count TcpExt.SyncookiesFailed          | SYN cookies received that were wrong
        network.tcp.syncookiesrecv            53.18  - u64 counter count TcpExt.SyncookiesRecv            | SYN cookies received back
        network.tcp.syncookiessent            53.17  - u64 counter count TcpExt.SyncookiesSent            | SYN cookies sent
        network.tcp.synretrans                53.117 - u64 counter count TcpExt.TCPSynRetrans             | SYNs and SYN-ACKs sent again
        network.tcp.tcpackcompressed          53.157 - u64 counter count TcpExt.TCPAckCompressed          | Acknowledgements joined into one
        network.tcp.tcpackskippedchallenge    53.150 - u64 counter count TcpExt.TCPACKSkippedChallenge    | Challenge acknowledgements left out
        network.tcp.tcpackskippedfinwait2     53.148 - u64 counter count TcpExt.TCPACKSkippedFinWait2     | Acknowledgements left out in FIN_WAIT2
        network.tcp.tcpackskippedpaws         53.146 - u64 counter count TcpExt.TCPACKSkippedPAWS         | Acknowledgements left out for old timestamps
        network.tcp.tcpackskippedseq          53.147 - u64 counter count TcpExt.TCPACKSkippedSeq          | Acknowledgements left out for segments outside the window
        network.tcp.tcpackskippedsynrecv      53.145 - u64 counter count TcpExt.TCPACKSkippedSynRecv      | Acknowledgements left out in SYN_RECV
        network.tcp.tcpackskippedtimewait     53.149 - u64 counter count TcpExt.TCPACKSkippedTimeWait     | Acknowledgements left out in TIME_WAIT
        network.tcp.tcpbacklogcoalesce        53.132 - u64 counter count TcpExt.TCPBacklogCoalesce        | Segments joined in the backlog
        network.tcp.tcpdelivered              53.155 - u64 counter count TcpExt.TCPDelivered              | Segments delivered to peers
        network.tcp.tcpdeliveredce            53.156 - u64 counter count TcpExt.TCPDeliveredCE            | Segments delivered that met congestion
        network.tcp.tcpdsackignoreddubious    53.165 - u64 counter count TcpExt.TCPDSACKIgnoredDubious    | Reported duplicates ignored as dubious
        network.tcp.tcpdsackrecvsegs          53.164 - u64 counter count TcpExt.TCPDSACKRecvSegs          | Segments that peers reported as duplicates
        network.tcp.tcpduplicatedatarehash    53.163 - u64 counter count TcpExt.TcpDuplicateDataRehash    | Flow labels changed after duplicate data
        network.tcp.tcpfastopenactivefail     53.136 - u64 counter count TcpExt.TCPFastOpenActiveFail     | Fast opens from here that failed
        network.tcp.tcpfastopenblackhole      53.137 - u64 counter count TcpExt.TCPFastOpenBlackhole      | Fast opens turned off because something on the way drops them
        network.tcp.tcpfastopenpassivealtkey  53.161 - u64 counter count TcpExt.TCPFastOpenPassiveAltKey  | Fast opens accepted with the backup key
        network.tcp.tcphystartdelaycwnd       53.144 - u64 counter count TcpExt.TCPHystartDelayCwnd       | Congestion windows at such ends, added up
        network.tcp.tcphystartdelaydetect     53.143 - u64 counter count TcpExt.TCPHystartDelayDetect     | Slow starts ended by growing delay
        network.tcp.tcphystarttraincwnd       53.142 - u64 counter count TcpExt.TCPHystartTrainCwnd       | Congestion windows at such ends, added up
        network.tcp.tcphystarttraindetect     53.141 - u64 counter count TcpExt.TCPHystartTrainDetect     | Slow starts ended by the spacing of acknowledgements
        network.tcp.tcpkeepalive              53.152 - u64 counter count TcpExt.TCPKeepAlive              | Keep-alive probes sent
        network.tcp.tcpmd5failure             53.134 - u64 counter count TcpExt.TCPMD5Failure             | Segments with a wrong MD5 signature
        network.tcp.tcpmemorypressureschrono  53.133 - u64 counter MiB   TcpExt.TCPMemoryPressuresChrono  | Time under memory pressure, in milliseconds as the kernel counts it
        network.tcp.tcpmigratereqfailure      53.167 - u64 counter count TcpExt.TCPMigrateReqFailure      | Connection requests that could not be moved
        network.tcp.tcpmigratereqsuccess      53.166 - u64 counter count TcpExt.TCPMigrateReqSuccess      | Connection requests moved to another listener
        network.tcp.tcpmtupfail               53.153 - u64 counter count TcpExt.TCPMTUPFail               | Path MTU probes that failed
        network.tcp.tcpmtupsuccess            53.154 - u64 counter count TcpExt.TCPMTUPSuccess            | Path MTU probes that succeeded
        network.tcp.tcprcvqdrop               53.159 - u64 counter count TcpExt.TCPRcvQDrop               | Segments dropped because the receive queue was full
        network.tcp.tcptimeoutrehash          53.162 - u64 counter count TcpExt.TcpTimeoutRehash          | Flow labels changed after a time-out
        network.tcp.tcpwinprobe               53.151 - u64 counter count TcpExt.TCPWinProbe               | Window probes sent
        network.tcp.tcpwqueuetoobig           53.160 - u64 counter count TcpExt.TCPWqueueTooBig           | Splits of queued data refused because the queue was too big
        network.tcp.tcpzerowindowdrop         53.158 - u64 counter count TcpExt.TCPZeroWindowDrop         | Segments dropped because the window was zero
        network.tcp.timeouts                  53.64  - u64 counter count TcpExt.TCPTimeouts               | Retransmission time-outs
        network.tcp.timewaited                53.27  - u64 counter count TcpExt.TW                        | Connections that waited out their TIME_WAIT
        network.tcp.timewaitkilled            53.29  - u64 counter count TcpExt.TWKilled                  | TIME_WAIT connections ended early
        network.tcp.timewaitoverflow          53.95  - u64 counter count TcpExt.TCPTimeWaitOverflow       | TIME_WAIT connections not kept because there were too many
        network.tcp.timewaitrecycled          53.28  - u64 counter count TcpExt.TWRecycled                | TIME_WAIT connections used anew after a timestamp check
        network.tcp.tozerowindowadv           53.115 - u64 counter count TcpExt.TCPToZeroWindowAdv        | Times that the announced window fell to zero
        network.tcp.tsreorder                 53.52  - u64 counter count TcpExt.TCPTSReorder              | Reordering found by timestamps
        network.tcp.wantzerowindowadv         53.116 - u64 counter count TcpExt.TCPWantZeroWindowAdv      | Times that the window should have been zero
        network.udp.ignoredmulti              14.90  - u64 counter count Udp.IgnoredMulti                 | UDP multicast datagrams that nobody had joined
        network.udp.incsumerrors              14.83  - u64 counter count Udp.InCsumErrors                 | UDP datagrams received with a wrong checksum
        network.udp.indatagrams               14.70  - u64 counter count Udp.InDatagrams                  | UDP datagrams received and delivered
        network.udp.inerrors                  14.72  - u64 counter count Udp.InErrors                     | UDP datagrams received that could not be delivered for other reasons
        network.udp.memerrors                 14.91  - u64 counter count Udp.MemErrors                    | UDP datagrams dropped for lack of memory
        network.udp.noports                   14.71  - u64 counter count Udp.NoPorts                      | UDP datagrams received for a port that nobody has
        network.udp.outdatagrams              14.74  - u64 counter count Udp.OutDatagrams                 | UDP datagrams sent
        network.udp.recvbuferrors             14.75  - u64 counter count Udp.RcvbufErrors                 | UDP datagrams dropped because a receive buffer was full
        network.udp.sndbuferrors              14.76  - u64 counter count Udp.SndbufErrors                 | UDP datagrams not sent because a send buffer was full
        network.udplite.ignoredmulti          14.92  - u64 counter count UdpLite.IgnoredMulti             | UDP-Lite multicast datagrams that nobody had joined
        network.udplite.incsumerrors          14.84  - u64 counter count UdpLite.InCsumErrors             | UDP-Lite datagrams received with a wrong checksum
        network.udplite.indatagrams           14.77  - u64 counter count UdpLite.InDatagrams              | UDP-Lite datagrams received and delivered
        network.udplite.inerrors              14.79  - u64 counter count UdpLite.InErrors                 | UDP-Lite datagrams received that could not be delivered for other reasons
        network.udplite.memerrors             14.93  - u64 counter count UdpLite.MemErrors                | UDP-Lite datagrams dropped for lack of memory
        network.udplite.noports               14.78  - u64 counter count UdpLite.NoPorts                  | UDP-Lite datagrams received for a port that nobody has
        network.udplite.outdatagrams          14.80  - u64 counter count UdpLite.OutDatagrams             | UDP-Lite datagrams sent
        network.udplite.recvbuferrors         14.81  - u64 counter count UdpLite.RcvbufErrors             | UDP-Lite datagrams dropped because a receive buffer was full
        network.udplite.sndbuferrors          14.82  - u64 counter count UdpLite.SndbufErrors             | UDP-Lite datagrams not sent because a send buffer was full
        """;

    public const string IcmpTypes = """
        network.icmpmsg.intype  14.88 23 u64 counter count = | ICMP messages received, by type
        network.icmpmsg.outtype 14.89 23 u64 counter count = | ICMP messages sent, by type
        """;
}
