using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images.Trust.Signing;

namespace Muster.Cli.Commands.Images;

/// <summary>The options with which an image is signed on its way into a registry; their names are those of skopeo and podman.</summary>
internal static class SigningOptions
{
    private const string PassphraseVariable = "COSIGN_PASSWORD";

    public static readonly Option[] All =
    [
        new("sign-by", "Sign with the key of this fingerprint of your gpg (simple signing, into the lookaside folder of registries.d)", "FINGERPRINT") { Repeatable = true },
        new("sign-by-sigstore-private-key", "Sign with a private key as cosign does: cosign.key or a PEM file of openssl", "FILE"),
        new("sign-passphrase-file", $"Read the passphrase of that private key from FILE, instead of {PassphraseVariable} or the terminal", "FILE"),
    ];

    /// <summary>What signs, by the options of a call.</summary>
    public static IReadOnlyList<IImageSigner> Read(Invocation call, CancellationToken ct)
    {
        List<IImageSigner> signers = [.. call.Values("sign-by").Select(fingerprint => new OpenPgpSigner(fingerprint, call.Time))];
        var file = call.Value("sign-by-sigstore-private-key");
        if (file is null)
        {
            return call.Has("sign-passphrase-file")
                ? throw new MusterException(ErrorKind.Usage, "--sign-passphrase-file is for the key of --sign-by-sigstore-private-key: add that option (gpg asks for its passphrases itself)")
                : signers;
        }

        try
        {
            signers.Add(new CosignSigner(CosignPrivateKey.Parse(Small(file), () => Passphrase(call, file, ct)), call.Time));
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Invalid)
        {
            throw new MusterException(ErrorKind.Invalid, $"The key {file} cannot sign: {e.Message}", e);
        }

        return signers;
    }

    private static string Passphrase(Invocation call, string key, CancellationToken ct)
    {
        if (call.Value("sign-passphrase-file") is { } file)
        {
            return System.Text.Encoding.UTF8.GetString(Small(file)).TrimEnd('\r', '\n');
        }

        if (Environment.GetEnvironmentVariable(PassphraseVariable) is { } given)
        {
            return given;
        }

        return StandardInput.IsTerminal
            ? StandardInput.Ask(call.Terminal, $"Passphrase of {key}: ", hidden: true, ct) ?? ""
            : throw new MusterException(ErrorKind.Usage, $"Without a terminal the passphrase of {key} must be given: add --sign-passphrase-file=FILE or set {PassphraseVariable}");
    }

    private static byte[] Small(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var content = new byte[CosignPrivateKey.MaxBytes + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length <= CosignPrivateKey.MaxBytes
                ? content[..length]
                : throw new MusterException(ErrorKind.Invalid, $"{path} has more than {CosignPrivateKey.MaxBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MusterException(ErrorKind.NotFound, $"{path} cannot be read ({e.Message})", e);
        }
    }
}
