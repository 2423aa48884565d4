using System.Text;

namespace Muster.Images.Tests.Trust;

/// <summary>A GNUPGHOME with keys of every kind, made by the real gpg once for all tests, and its agent ended afterwards.</summary>
public sealed class GpgHome : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public GpgHome()
    {
        Rsa = Generate("Rsa <rsa@test>", "rsa2048", "sign");
        Ed25519 = Generate("Ed <ed@test>", "ed25519", "sign");
        P256 = Generate("Curve <p256@test>", "nistp256", "sign");
    }

    public string Path => _folder.Path;

    public string Rsa { get; }

    public string Ed25519 { get; }

    public string P256 { get; }

    /// <summary>Makes a key and returns its fingerprint in lower case.</summary>
    public string Generate(string name, string algorithm, string usage, string expires = "never", params string[] options)
    {
        Gpg([.. options, "--quick-generate-key", name, algorithm, usage, expires]);
        return Fingerprint(name);
    }

    public string Fingerprint(string name)
    {
        var lines = Encoding.UTF8.GetString(Gpg(["--with-colons", "--list-keys", "=" + name])).Split('\n');
        return lines.First(l => l.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9].ToLowerInvariant();
    }

    public byte[] Export(string key) => Gpg(["--armor", "--export", key]);

    public byte[] Sign(string key, byte[] data, params string[] options) => Gpg([.. options, "-u", key, "--armor", "--detach-sign"], data);

    /// <summary>Revokes a key with the certificate that gpg made beside it.</summary>
    public void Revoke(string key)
    {
        var certificate = File.ReadAllText(System.IO.Path.Combine(Path, "openpgp-revocs.d", key.ToUpperInvariant() + ".rev"));
        Gpg(["--import"], Encoding.UTF8.GetBytes(certificate.Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal)));
    }

    public byte[] Gpg(IReadOnlyList<string> arguments, byte[]? input = null) =>
        ToolRun.Run("gpg", ["--homedir", Path, "--batch", "--quiet", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", .. arguments], input);

    public void Dispose()
    {
        ToolRun.Run("gpgconf", ["--homedir", Path, "--kill", "all"], mayFail: true);
        // The agent removes its sockets a moment after it was told to end.
        for (var tries = 0; ; tries++)
        {
            try
            {
                _folder.Dispose();
                return;
            }
            catch (IOException) when (tries < 50)
            {
                Task.Delay(20).Wait();
            }
        }
    }
}

[CollectionDefinition("gpg")]
public sealed class GpgCollection : ICollectionFixture<GpgHome>;
