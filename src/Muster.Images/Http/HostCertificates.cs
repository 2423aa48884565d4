using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Core;

namespace Muster.Images.Http;

/// <summary>
/// Certificates for one host beside the system's: authorities (<c>*.crt</c>) and a client certificate (<c>*.cert</c> with
/// <c>*.key</c>) from <c>etc/certs.d</c>, <c>/etc/containers/certs.d</c> and <c>/etc/docker/certs.d</c>
/// (containers-certs.d(5)). SSL_CERT_FILE and SSL_CERT_DIR replace the system's authorities, as everywhere in .NET.
/// </summary>
internal sealed class HostCertificates : IDisposable
{
    private const int MaxFileBytes = 1 << 20;

    private readonly X509Certificate2Collection _authorities = [];

    private HostCertificates()
    {
    }

    /// <summary>What is shown to a server that asks who we are.</summary>
    public X509Certificate2? Client { get; private set; }

    /// <summary>Why a server's certificate was not accepted last, for messages.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Reads the folders of a host: named <c>host:port</c> or <c>host</c>.</summary>
    public static HostCertificates Load(MusterRoot root, string host, int port)
    {
        var certificates = new HostCertificates();
        foreach (var parent in (string[])[Path.Combine(root.Etc, "certs.d"), "/etc/containers/certs.d", "/etc/docker/certs.d"])
        {
            foreach (var name in (string[])[$"{host}:{port}", host])
            {
                var folder = Path.Combine(parent, name);
                if (Directory.Exists(folder))
                {
                    certificates.Read(folder);
                }
            }
        }

        return certificates;
    }

    /// <summary>Whether a server's certificate is good: by the system's authorities, or by this host's own ones.</summary>
    public bool Accepts(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        // Only an unknown authority can be made good here; a wrong name or a missing certificate cannot.
        Refusal = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) || certificate is null ? "it shows none"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "it is for another name"
            : Status(presented);
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || _authorities.Count == 0 || certificate is null)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        using var leaf = new X509Certificate2(certificate);
        if (chain.Build(leaf))
        {
            return true;
        }

        Refusal = Status(chain);
        return false;
    }

    private static string Status(X509Chain? chain)
    {
        foreach (var status in chain?.ChainStatus ?? [])
        {
            return status.Status switch
            {
                X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain => "its authority is not known",
                X509ChainStatusFlags.NotTimeValid => "it is expired or not yet valid",
                X509ChainStatusFlags.Revoked => "it is revoked",
                _ => status.StatusInformation.Trim(),
            };
        }

        return "its chain is not valid";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var authority in _authorities)
        {
            authority.Dispose();
        }

        Client?.Dispose();
    }

    private void Read(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            try
            {
                switch (Path.GetExtension(path))
                {
                    case ".crt" or ".pem":
                        _authorities.ImportFromPem(Text(path));
                        break;
                    case ".cert" when Client is null:
                        Client = X509Certificate2.CreateFromPem(Text(path), Text(Path.ChangeExtension(path, ".key")));
                        break;
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException)
            {
                throw new MusterException(ErrorKind.Invalid, $"The certificate {path} cannot be used ({e.Message}): it must be PEM, and a .cert needs its .key beside it", e);
            }
        }
    }

    private static string Text(string path) => new FileInfo(path).Length <= MaxFileBytes
        ? File.ReadAllText(path)
        : throw new MusterException(ErrorKind.Invalid, $"The certificate {path} is larger than {MaxFileBytes >> 20} MiB");
}
