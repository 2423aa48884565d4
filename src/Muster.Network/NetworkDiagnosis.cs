using Muster.Core;
using Muster.Linux;
using Muster.Linux.Namespaces;
using Muster.Linux.Netlink;

namespace Muster.Network;

/// <summary>One finding of <c>muster doctor</c>: what was looked at, whether it is well, why (not), and what to do.</summary>
public sealed record NetworkCheck(string Name, bool Ok, string Why, string? Remedy = null);

/// <summary>What of this host would keep pods from their network, without changing anything.</summary>
public sealed class NetworkDiagnosis
{
    private readonly NetworkPaths _paths;
    private readonly MusterRoot _root;
    private readonly List<NetworkCheck> _checks = [];

    private NetworkDiagnosis(MusterRoot root)
    {
        _root = root;
        _paths = new NetworkPaths(root);
    }

    /// <summary>All findings, good ones too.</summary>
    public static IReadOnlyList<NetworkCheck> Diagnose(MusterRoot root)
    {
        var diagnosis = new NetworkDiagnosis(root);
        diagnosis.Programs();
        diagnosis.Rules();
        using (var route = new RouteSocket())
        {
            diagnosis.ForwardingOf(route, "ipv4", "ipv4/ip_forward");
            diagnosis.ForwardingOf(route, "ipv6", "ipv6/conf/all/forwarding");
            diagnosis.Prefixes(route);
        }

        diagnosis.Senders();
        diagnosis.Bridging();
        diagnosis.Resolvers();
        diagnosis.Definitions();
        return diagnosis._checks;
    }

    private void Programs()
    {
        var nft = PacketRules.IsInstalled;
        Add("nft", nft, nft ? "the program nft is installed" : "the program nft is missing, so no pod can have an address", "install the package nftables");
        var dnsmasq = NameServer.IsInstalled;
        Add("dnsmasq", dnsmasq, dnsmasq ? "the program dnsmasq is installed" : "the program dnsmasq is missing, so pods do not know each other by name", "install the package dnsmasq-base");
    }

    private void Rules()
    {
        List<FilterChain> chains;
        try
        {
            using var netfilter = new NetfilterSocket();
            chains = netfilter.BaseChains();
        }
        catch (LinuxException e)
        {
            Add("nf_tables", false, $"the kernel's packet filter does not answer ({e.Message})", "run as root on a kernel with CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET");
            return;
        }

        Add("nf_tables", true, "the kernel's packet filter answers");
        Policy(chains, NetfilterSocket.ForwardHook, "forward policy", "forwarded packets", "what pods send to the world and what comes in by published ports may be lost", "forward");
        Policy(chains, NetfilterSocket.InputHook, "input policy", "packets to this host", "pods may not reach the name server on their bridge", "input");
        LegacyPolicy();
    }

    // An accept in our table cannot overrule a drop in another: every base chain of a hook is asked.
    private void Policy(List<FilterChain> chains, uint hook, string name, string what, string effect, string chainWord)
    {
        var drops = chains.Where(c => c.Hook == hook && c.Drops && c.Family is (1 or 2 or 10) && !IsOurs(c.Table)).ToList();
        var places = string.Join(", ", drops.Select(c => $"{Family(c.Family)} {c.Table} {c.Name}"));
        Add(
            name,
            drops.Count == 0,
            drops.Count == 0 ? $"no other table drops {what} by policy" : $"the policy of {places} is to drop {what}, so {effect} unless a rule there accepts it",
            drops.Count == 0 ? null : $"accept our bridges there, for example: nft insert rule {Family(drops[0].Family)} {drops[0].Table} {drops[0].Name} iifname \"{_root.LinkName("n*")}\" accept" + (chainWord == "forward" ? ", and the same with oifname" : ""));
    }

    private void LegacyPolicy()
    {
        const string tables = "/proc/net/ip_tables_names";
        const string program = "/usr/sbin/iptables-legacy";
        if (!File.Exists(tables) || !File.ReadAllText(tables).Contains("filter", StringComparison.Ordinal) || !File.Exists(program))
        {
            return;
        }

        var (status, output, _) = HostProgram.Run(program, ["-w", "2", "-S", "FORWARD"], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], [], TimeSpan.FromSeconds(10));
        var drops = status == 0 && System.Text.Encoding.UTF8.GetString(output).Contains("-P FORWARD DROP", StringComparison.Ordinal);
        Add(
            "legacy forward policy",
            !drops,
            drops ? "the policy of iptables-legacy's FORWARD chain is to drop, so what pods send to the world may be lost" : "iptables-legacy does not drop forwarded packets by policy",
            drops ? $"iptables-legacy -I FORWARD -i {_root.LinkName("n+")} -j ACCEPT, and the same with -o" : null);
    }

    private void ForwardingOf(RouteSocket route, string family, string global)
    {
        if (NetworkNamespace.ReadSetting(global) is not { } all)
        {
            Add(family + " forwarding", false, $"this kernel has no {family}", $"boot with {family} enabled to give pods such addresses");
            return;
        }

        var up = new ManagedNetworks(_paths, new PacketRules(_paths)).AllUp();
        if (all != "0" || up.Count == 0)
        {
            Add(family + " forwarding", true, all != "0" ? "the whole host forwards" : "it is switched on, for the links that have routes only, when the first pod with an address starts");
            return;
        }

        var v6 = family == "ipv6";
        var setting = v6 ? "force_forwarding" : "forwarding";
        var version = v6 ? System.Net.Sockets.AddressFamily.InterNetworkV6 : System.Net.Sockets.AddressFamily.InterNetwork;
        var gateways = route.Routes().Where(r => r.PrefixLength == 0 && r.Destination.AddressFamily == version).Select(r => r.Link).ToHashSet();
        var off = route.Links()
            .Where(l => gateways.Contains(l.Index) || up.Any(n => n.Bridge == l.Name && n.Prefixes.Any(p => p.IsV6 == v6)))
            .Where(l => NetworkNamespace.ReadSetting($"{family}/conf/{l.Name}/{setting}") is "0" or null)
            .Select(l => l.Name)
            .ToList();
        Add(
            family + " forwarding",
            off.Count == 0,
            off.Count == 0 ? "the bridges and the links with a default route forward" : $"{string.Join(", ", off)} {(off.Count == 1 ? "does" : "do")} not forward, so pods do not reach the world",
            off.Count == 0 ? null : string.Join("; ", off.Select(l => $"sysctl -w net.{family}.conf.{l.Replace(".", "/", StringComparison.Ordinal)}.{setting}=1")));
    }

    private void Prefixes(RouteSocket route)
    {
        try
        {
            var used = SubnetChoice.InUse(route.Routes(), route.Addresses());
            var (v4, _) = SubnetChoice.First(used, SubnetChoice.UlaOf("doctor"));
            Add("addresses", true, $"a new network would get {v4}");
        }
        catch (MusterException e)
        {
            Add("addresses", false, e.Message, "give networks subnets of their own: muster network create NAME --subnet PREFIX");
        }
    }

    private void Senders()
    {
        var filtered = SenderFilter.IsSupported();
        Add(
            "sender filter",
            filtered,
            filtered ? "pods send from their own addresses only" : "this kernel cannot filter what a pod sends, so a pod with CAP_NET_RAW, which is among the default ones, can speak as another to its neighbours",
            "use a kernel with CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF (the modules sch_ingress and cls_bpf), or take CAP_NET_RAW from what you do not trust with --caps-remove=CAP_NET_RAW");
    }

    private void Bridging()
    {
        if (File.Exists("/proc/sys/net/bridge/bridge-nf-call-iptables"))
        {
            var on = File.ReadAllText("/proc/sys/net/bridge/bridge-nf-call-iptables").Trim() == "1";
            Add("bridge filter", true, on ? "frames between pods of one bridge pass the forward rules too (bridge-nf-call-iptables is 1)" : "frames between pods of one bridge do not pass the forward rules");
        }
    }

    private void Resolvers()
    {
        var (servers, _) = HostResolvers.Read();
        var stub = servers.Count == 0;
        Add(
            "resolvers",
            !stub || NameServer.IsInstalled,
            stub ? "the host's resolv.conf names only itself; pods reach it through the dnsmasq of their network" : $"the host uses {string.Join(", ", servers)}",
            stub && !NameServer.IsInstalled ? "install dnsmasq-base, or name a server that pods can reach with --dns" : null);
    }

    private void Definitions()
    {
        foreach (var network in new NetworkCatalog(_root).List(problem => Add("definition", false, problem, $"correct or remove the file in {_paths.Definitions}")))
        {
            if (network.Cni is { } cni && CniPlugins.Missing(cni) is { Count: > 0 } missing)
            {
                Add("network " + network.Name, false, $"CNI plugin {string.Join(", ", missing)} is in none of {string.Join(", ", CniPlugins.Folders)}", "install containernetworking-plugins, or set CNI_PATH");
            }
        }

        foreach (var network in new ManagedNetworks(_paths, new PacketRules(_paths)).AllUp())
        {
            using var route = new RouteSocket();
            var ok = route.Find(network.Bridge) is { Up: true } && new PacketRules(_paths).AreLoaded();
            Add("network " + network.Name, ok, ok ? $"{network.Bridge} is up with {string.Join(", ", network.Subnets)}" : $"its bridge {network.Bridge} or table {_root.NftTable} was removed by somebody", ok ? null : "start a pod on it, which makes both anew");
        }
    }

    private static bool IsOurs(string table) => table == "muster" || table.StartsWith("muster_", StringComparison.Ordinal);

    private static string Family(byte family) => family switch
    {
        1 => "inet",
        2 => "ip",
        _ => "ip6",
    };

    private void Add(string name, bool ok, string why, string? remedy = null) => _checks.Add(new NetworkCheck(name, ok, why, ok ? null : remedy));
}
