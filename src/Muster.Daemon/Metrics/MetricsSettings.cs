using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Core;
using Muster.Core.Configuration;
using Muster.Metrics.Door;
using Muster.Metrics.Export;

namespace Muster.Daemon.Metrics;

/// <summary>What muster.yaml and the command line say about metrics, read and checked at the start.</summary>
internal sealed record MetricsSettings
{
    private const int MaxCertificateFile = 1024 * 1024;

    public required DoorOptions Door { get; init; }

    /// <summary>Where <c>/metrics</c> and <c>/pmapi</c> are answered over TCP, or null.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>Where metrics are pushed to, or null.</summary>
    public OtlpOptions? Otlp { get; init; }

    /// <summary>The file that says what is logged, or null.</summary>
    public string? LogFile { get; init; }

    /// <summary>Where archives are kept.</summary>
    public string LogFolder { get; init; } = "";

    /// <summary>The file of rules, or null.</summary>
    public string? RuleFile { get; init; }

    /// <summary>Files of derived metrics, or null.</summary>
    public string? DerivedFiles { get; init; }

    public static MetricsSettings Of(DaemonOptions options, Settings settings)
    {
        var pcp = options.ListenPcp ?? settings["metrics.listen-pcp"];
        var isDefault = pcp.Length == 0;
        var tcp = isDefault && options.Root.IsSystem ? new IPEndPoint(IPAddress.Loopback, DoorOptions.DefaultPort) : Address(pcp);
        var endpoint = settings["metrics.otlp-endpoint"];
        return new MetricsSettings
        {
            Door = new DoorOptions
            {
                SocketFolder = options.Root.Run,
                Tcp = tcp,
                IsTcpOptional = isDefault,
                Certificate = Certificate(settings["metrics.tls-certificate"], settings["metrics.tls-key"]),
                Intermediates = Intermediates(settings["metrics.tls-certificate"]),
                TrustedClients = Trusted(settings["metrics.trusted-clients"]),
            },
            Http = Address(settings["metrics.listen-http"]),
            LogFile = settings["metrics.log"] is "none" ? null : settings["metrics.log"],
            LogFolder = settings["metrics.log-folder"] is { Length: > 0 } folder ? folder : Path.Combine(options.Root.Var, "metrics", "archives"),
            RuleFile = settings["metrics.rules"] is "none" ? null : settings["metrics.rules"],
            DerivedFiles = settings["metrics.derived"] is "none" ? null : settings["metrics.derived"],
            Otlp = endpoint.Length == 0 ? null : new OtlpOptions
            {
                Endpoint = new Uri(endpoint),
                IsJson = settings["metrics.otlp-encoding"] == "json",
                Interval = Durations.Parse(settings["metrics.otlp-interval"], "metrics.otlp-interval"),
                Names = settings["metrics.otlp-names"].Split(' ', StringSplitOptions.RemoveEmptyEntries),
                Headers = [.. settings["metrics.otlp-headers"].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(h => new KeyValuePair<string, string>(h[..h.IndexOf('=', StringComparison.Ordinal)].Trim(), h[(h.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim()))],
            },
        };
    }

    private static IPEndPoint? Address(string text) => text is "" or "none" ? null : IPEndPoint.Parse(text);

    private static X509Certificate2? Certificate(string path, string key)
    {
        if (path.Length == 0)
        {
            return null;
        }

        try
        {
            return X509Certificate2.CreateFromPemFile(path, key.Length == 0 ? null : key);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"The certificate {path} of metrics.tls-certificate cannot be used: {e.Message.TrimEnd('.')}; give a PEM file with the certificate and its key, or the key's file as metrics.tls-key", e);
        }
    }

    // What stands behind the certificate in its file, as every web server takes it. The file could be read before.
    private static X509Certificate2Collection Intermediates(string path)
    {
        var all = new X509Certificate2Collection();
        if (path.Length > 0)
        {
            all.ImportFromPemFile(path);
            all.RemoveAt(0);
        }

        return all;
    }

    private static HashSet<string> Trusted(string path)
    {
        var fingerprints = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (path.Length == 0)
        {
            return fingerprints;
        }

        try
        {
            if (new FileInfo(path).Length > MaxCertificateFile)
            {
                throw new MusterException(ErrorKind.Invalid, $"{path} of metrics.trusted-clients has more than {MaxCertificateFile} bytes: list the certificates of clients only");
            }

            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(path);
            foreach (var certificate in certificates)
            {
                fingerprints.Add(certificate.GetCertHashString(HashAlgorithmName.SHA256));
                certificate.Dispose();
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} of metrics.trusted-clients cannot be read: {e.Message.TrimEnd('.')}; give a PEM file with certificates", e);
        }

        return fingerprints.Count > 0 ? fingerprints : throw new MusterException(ErrorKind.Invalid, $"{path} of metrics.trusted-clients has no certificate in PEM");
    }
}
