using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Pods;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Network;

namespace Muster.Cli.Commands.Network;

internal static class NetworkCommands
{
    private static readonly IReadOnlyList<Column<NetworkView>> Columns =
    [
        new("name", n => n.Name),
        new("kind", n => n.Kind),
        new("state", n => n.State),
        new("bridge", n => n.Bridge ?? "-"),
        new("subnets", n => n.Subnets.Count > 0 ? string.Join(' ', n.Subnets) : n.Kind == "cni" ? "-" : "automatic"),
        new("nat", n => n.Kind == "cni" ? "-" : n.Nat ? "yes" : "no"),
        new("dns", n => n.Kind == "cni" ? "-" : n.Dns ? "yes" : "no"),
        new("pods", n => n.Pods.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)),
    ];

    public static readonly Command List = new()
    {
        Words = ["network", "list"],
        Lists = true,
        Summary = "List the networks that pods can join",
        Usage = "[OPTION…]",
        Description = "Managed networks are bridges of ours; cni ones are configuration lists of net.d whose plugins do the work. The built-in networks none and host need no definition.",
        Example = """
            muster network list
            muster network list --filter kind=cni --format=json
            """,
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var networks = Overview(call).List(call.Warn);
            if (call.Quiet && !call.Json)
            {
                foreach (var network in networks)
                {
                    call.Terminal.Out.WriteLine(network.Name);
                }
            }
            else
            {
                Listing.Write(call, networks, Columns, NetworkViewJson.Default.NetworkView);
            }

            return Task.FromResult(0);
        },
    };

    public static readonly Command Inspect = new()
    {
        Words = ["network", "inspect"],
        Summary = "Show one network, its pods and their addresses",
        Usage = "[OPTION…] NAME",
        Example = """
            muster network inspect default
            muster network inspect default --format=json
            """,
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var overview = Overview(call);
            var network = overview.Inspect(call.Arguments[0]);
            if (call.Json)
            {
                Listing.WriteJson(call, network, NetworkViewJson.Default.NetworkView);
            }
            else
            {
                Describe(call.Terminal.Out, network, overview.HostChanges());
            }

            return Task.FromResult(0);
        },
    };

    public static readonly Command Create = new()
    {
        Words = ["network", "create"],
        Summary = "Define a network in net.d",
        Usage = "[OPTION…] NAME",
        Description = "Writes NAME.json to the folder net.d. Nothing is made on the host until the first pod joins. Without --subnet the first free /24 of 10.209.0.0/16 and an IPv6 /64 are chosen then, and stay.",
        Example = """
            muster network create back --subnet 10.20.0.0/24 --subnet fd00:20::/64 --no-nat
            muster run --net=default --net=back oci:app
            """,
        Options =
        [
            new("subnet", "A prefix for pods, at most one of each family", "PREFIX") { Repeatable = true },
            new("bridge", "The bridge's link name", "LINK"),
            new("mtu", "The largest packet in bytes, 1280 to 65535", "BYTES"),
            new("no-nat", "Pods keep their own address towards the world: routes must lead back"),
            new("no-dns", "No name server: pods use the host's resolvers"),
        ],
        Arguments = (1, 1),
        Run = (call, _) =>
        {
            var subnets = call.Values("subnet");
            var definition = new NetworkDefinition
            {
                Name = call.Arguments[0],
                Subnets = subnets.Count > 0 ? subnets : null,
                Bridge = call.Value("bridge"),
                Mtu = (int)call.Number("mtu", 0, 1280, 65535),
                Nat = !call.Has("no-nat"),
                Dns = !call.Has("no-dns"),
            };
            var overview = new NetworkOverview(call.Root);
            var file = overview.Create(definition);
            if (call.Json)
            {
                Listing.WriteJson(call, overview.Inspect(definition.Name), NetworkViewJson.Default.NetworkView);
            }
            else
            {
                call.Terminal.Out.WriteLine(call.Quiet ? definition.Name : $"Network {definition.Name} is defined in {file}");
            }

            return Task.FromResult(0);
        },
    };

    public static readonly Command Remove = new()
    {
        Words = ["network", "rm"],
        Aliases = [["network", "remove"]],
        Summary = "Take networks down and remove their definitions",
        Usage = "[OPTION…] NAME…",
        Description = "Refused while pods use the network. Removing default takes its bridge down and forgets its addresses; the next pod makes it anew.",
        Example = "muster network rm back",
        Arguments = (1, 100),
        Run = async (call, ct) =>
        {
            if (Linux.ProcessControl.EffectiveUser == 0)
            {
                // What has ended holds a network for some milliseconds more.
                await new PodDoor(call).Ending.PutRightAsync(ct);
            }

            var overview = new NetworkOverview(call.Root);
            foreach (var name in call.Arguments)
            {
                overview.Remove(name);
                if (call.Json)
                {
                    Listing.WriteJson(call, writer =>
                    {
                        writer.WriteStartObject();
                        writer.WriteString("removed", name);
                        writer.WriteEndObject();
                    });
                }
                else
                {
                    call.Terminal.Out.WriteLine(name);
                }
            }

            return 0;
        },
    };

    public static readonly Command Check = new()
    {
        Words = ["network", "check"],
        Lists = true,
        Summary = "See whether this host and the pods on it have the network they should",
        Usage = "[OPTION…]",
        Description = "Looks at programs, rules of others that drop what pods send, forwarding, addresses, definitions, and every pod's links, ports and CNI networks (CHECK). Changes nothing. The status is 1 when something is not as it should be.",
        Example = """
            muster network check
            muster network check --filter ok=no
            """,
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var checks = new List<NetworkCheck>(NetworkDiagnosis.Diagnose(call.Root));
            var networks = new PodNetworks(call.Root, call.Time);
            foreach (var pod in Overview(call).List(_ => { }).SelectMany(n => n.Pods).Select(p => p.Pod).Distinct())
            {
                if (networks.Check(pod) is not { } problems)
                {
                    continue;
                }

                checks.Add(problems.Count == 0
                    ? new NetworkCheck("pod " + pod, true, "its network is as it was set up")
                    : new NetworkCheck("pod " + pod, false, string.Join("; ", problems), "restart the pod"));
            }

            var bad = checks.Where(c => !c.Ok).ToList();
            Listing.Write(
                call,
                call.Quiet ? bad : checks,
                [new("ok", c => c.Ok ? "yes" : "no"), new("name", c => c.Name), new("why", c => c.Remedy is null ? c.Why : $"{c.Why}: {c.Remedy}")],
                NetworkViewJson.Default.NetworkCheck);
            return Task.FromResult(bad.Count == 0 ? 0 : 1);
        },
    };

    // Nobody need see a pod that is being cleared. To know them is for root, who may look into the pods' folders.
    private static NetworkOverview Overview(Invocation call)
    {
        if (Linux.ProcessControl.EffectiveUser != 0)
        {
            return new NetworkOverview(call.Root);
        }

        var store = new PodStore(call.Root);
        return new NetworkOverview(call.Root)
        {
            IsLeaving = uuid =>
            {
                using var pod = store.TryFind(uuid);
                return pod is not null && PodStore.IsBeingCleared(pod);
            },
        };
    }

    private static void Describe(TextWriter to, NetworkView network, IReadOnlyList<string> changes)
    {
        void Line(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                to.WriteLine($"{name + ":",-14}{value}");
            }
        }

        Line("Name", network.Name);
        Line("Kind", network.Kind);
        Line("State", network.State);
        Line("File", network.File ?? "built in");
        Line("Plugins", string.Join(' ', network.Plugins));
        if (network.Kind == "managed")
        {
            Line("Bridge", network.Bridge ?? "chosen when the first pod joins");
            Line("Subnets", network.Subnets.Count > 0 ? string.Join(' ', network.Subnets) : "chosen when the first pod joins");
            Line("NAT", network.Nat ? "yes" : "no");
            Line("DNS", network.Dns ? network.NameServer is { } pid ? $"yes, dnsmasq {pid}" : "yes" : "no");
            Line("MTU", network.Mtu > 0 ? network.Mtu.ToString(System.Globalization.CultureInfo.InvariantCulture) : "the kernel's");
        }

        foreach (var pod in network.Pods)
        {
            Line("Pod", $"{pod.Pod} {string.Join(' ', pod.Addresses)}{(pod.Ports.Count > 0 ? " ports " + string.Join(' ', pod.Ports) : "")}");
        }

        foreach (var change in changes.Where(c => c.EndsWith(" for network " + network.Name, StringComparison.Ordinal)))
        {
            Line("Host setting", change);
        }
    }
}
