using System.Text;

namespace Muster.Metrics.Door;

/// <summary>What a client asks of the host itself: its names and its time zone. Read at each question, as they may change.</summary>
public static class HostFacts
{
    // A zone file is a few kilobytes; its last line is the rule that holds from now on (RFC 8536 §3.3).
    private const int MaxZoneFile = 64 * 1024;

    /// <summary>The kernel's host name.</summary>
    public static string HostName => Line("/proc/sys/kernel/hostname") is { Length: > 0 } name ? name : "localhost";

    /// <summary>The domain behind the host's name; <c>localdomain</c> where there is none.</summary>
    public static string DomainName
    {
        get
        {
            var host = HostName;
            var dot = host.IndexOf('.', StringComparison.Ordinal);
            var domain = dot > 0 ? host[(dot + 1)..] : Line("/proc/sys/kernel/domainname");
            return domain is "" or "(none)" ? "localdomain" : domain;
        }
    }

    /// <summary>/etc/machine-id; empty where there is none.</summary>
    public static string MachineId => Line("/etc/machine-id");

    /// <summary>The zone as TZ has it: <c>CET-1CEST,M3.5.0,M10.5.0/3</c>.</summary>
    public static string TimeZone
    {
        get
        {
            if (Environment.GetEnvironmentVariable("TZ") is { Length: > 0 } set && set[0] != ':')
            {
                return set;
            }

            try
            {
                using var file = File.OpenRead("/etc/localtime");
                var buffer = new byte[MaxZoneFile];
                var text = buffer.AsSpan(0, file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)).TrimEnd((byte)'\n');
                var rule = Encoding.ASCII.GetString(text[(text.LastIndexOf((byte)'\n') + 1)..]);

                // pmcd leaves the offset away where there is none.
                return rule.Length is > 0 and < 256 && rule != "UTC0" && rule.All(c => c is > ' ' and < '\x7f') ? rule : "UTC";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "UTC";
            }
        }
    }

    /// <summary>The zone's name for libraries that have the data: <c>:Europe/Berlin</c>.</summary>
    public static string ZoneName
    {
        get
        {
            const string Folder = "zoneinfo/";
            try
            {
                if (File.ResolveLinkTarget("/etc/localtime", returnFinalTarget: true)?.FullName is { } path && path.IndexOf(Folder, StringComparison.Ordinal) is var at and >= 0)
                {
                    return ":" + path[(at + Folder.Length)..];
                }
            }
            catch (IOException)
            {
                // No such link: the other file says it.
            }

            return Line("/etc/timezone") is { Length: > 0 } name ? ":" + name : ":UTC";
        }
    }

    private static string Line(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            return reader.ReadLine()?.Trim() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
