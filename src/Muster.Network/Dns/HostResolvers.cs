using System.Net;

namespace Muster.Network;

/// <summary>The host's resolv.conf(5), as far as a pod without a name server of its own can use it.</summary>
public static class HostResolvers
{
    /// <summary>glibc reads at most three (MAXNS).</summary>
    public const int MaxNameservers = 3;

    /// <summary>glibc reads at most six search domains in its older releases, and 1024 characters.</summary>
    public const int MaxSearchDomains = 6;

    private const string SystemdStub = "127.0.0.53";

    /// <summary>Reads the host's files. Where only systemd-resolved's stub is named, the servers behind it are taken.</summary>
    public static (IReadOnlyList<string> Nameservers, IReadOnlyList<string> Search) Read()
    {
        var text = TryRead("/etc/resolv.conf");
        var found = Parse(text);
        return found.Nameservers.Count == 0 && text.Contains(SystemdStub, StringComparison.Ordinal)
            ? Parse(TryRead("/run/systemd/resolve/resolv.conf"))
            : found;
    }

    /// <summary>Name servers that can be reached from another namespace (no loopback), and search domains.</summary>
    public static (IReadOnlyList<string> Nameservers, IReadOnlyList<string> Search) Parse(string text)
    {
        var servers = new List<string>();
        IReadOnlyList<string> search = [];
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || words[0][0] is '#' or ';')
            {
                continue;
            }

            if (words[0] == "nameserver")
            {
                if (servers.Count < MaxNameservers && IPAddress.TryParse(words[1], out var address) && !IPAddress.IsLoopback(address) && !words[1].Contains('%', StringComparison.Ordinal))
                {
                    servers.Add(address.ToString());
                }
            }
            else if (words[0] is "search" or "domain")
            {
                // The last of them counts (resolv.conf(5)).
                search = [.. words.Skip(1).Where(IsDomain).Take(MaxSearchDomains)];
            }
        }

        return (servers, search);
    }

    private static bool IsDomain(string word) => word.Length is > 0 and <= 253 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
