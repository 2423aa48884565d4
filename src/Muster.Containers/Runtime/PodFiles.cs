using System.Text;
using Muster.Containers.Pods;
using Muster.Network;

namespace Muster.Containers.Runtime;

/// <summary>The files of /etc that a pod brings: hosts, resolv.conf and hostname.</summary>
public static class PodFiles
{
    /// <summary>Which of them an app gets.</summary>
    public static IEnumerable<string> For(PodRecord pod, AppRecord app)
    {
        if (app.WantsHostsFile)
        {
            yield return "hosts";
        }

        if (pod.Dns.Mode != "none")
        {
            yield return "resolv.conf";
        }

        if (app.WantsHostsFile)
        {
            yield return "hostname";
        }
    }

    /// <summary>Writes them into the pod directory.</summary>
    public static void Write(string podDirectory, PodRecord pod, PodNetworkState? network)
    {
        var folder = Path.Combine(podDirectory, "etc");
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        Write(Path.Combine(folder, "hostname"), pod.Hostname + "\n");
        Write(Path.Combine(folder, "hosts"), Hosts(pod, network));
        if (pod.Dns.Mode != "none")
        {
            Write(Path.Combine(folder, "resolv.conf"), ResolvConf(pod, network));
        }
    }

    // Every user of the pod reads these, whatever the umask of who starts it.
    private static void Write(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)0b110_100_100);
    }

    private static string Hosts(PodRecord pod, PodNetworkState? network)
    {
        if (pod.HostsEntries.Contains("host"))
        {
            return File.Exists("/etc/hosts") ? File.ReadAllText("/etc/hosts") : "127.0.0.1\tlocalhost\n";
        }

        var text = new StringBuilder("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
        var addresses = network?.Interfaces.SelectMany(i => i.Addresses).Select(a => a.Split('/')[0]).ToList() ?? [];
        foreach (var address in addresses.Count > 0 ? addresses : pod.HostNetwork ? ["127.0.1.1"] : ["127.0.0.1"])
        {
            text.Append(address).Append('\t').Append(pod.Hostname);
            if (pod.Name is { } name && name != pod.Hostname)
            {
                text.Append(' ').Append(name);
            }

            text.Append('\n');
        }

        foreach (var entry in pod.HostsEntries)
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            text.Append(entry.AsSpan(0, equals)).Append('\t').Append(entry.AsSpan(equals + 1)).Append('\n');
        }

        return text.ToString();
    }

    private static string ResolvConf(PodRecord pod, PodNetworkState? network)
    {
        var own = pod.Dns.Nameservers.Count > 0 || pod.Dns.Search.Count > 0 || pod.Dns.Options.Count > 0 || pod.Dns.Domain is not null;
        if (!own && (pod.Dns.Mode == "host" || pod.HostNetwork || network is null or { Nameservers.Count: 0 }))
        {
            return File.Exists("/etc/resolv.conf") ? File.ReadAllText("/etc/resolv.conf") : "";
        }

        var text = new StringBuilder();
        foreach (var server in pod.Dns.Nameservers.Count > 0 ? pod.Dns.Nameservers : network?.Nameservers ?? [])
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }

        if (pod.Dns.Domain is { } domain)
        {
            text.Append("domain ").Append(domain).Append('\n');
        }

        var search = pod.Dns.Search.Count > 0 ? pod.Dns.Search : network?.SearchDomains ?? [];
        if (search.Count > 0)
        {
            text.Append("search ").AppendJoin(' ', search).Append('\n');
        }

        if (pod.Dns.Options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', pod.Dns.Options).Append('\n');
        }

        return text.ToString();
    }
}
