using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Trust.OpenPgp;
using Muster.Linux;

namespace Muster.Images.Trust.Signing;

/// <summary>
/// Simple signing with a key of the caller's gpg, whose agent asks for the passphrase and never gives the key away.
/// </summary>
public sealed class OpenPgpSigner : IImageSigner
{
    private const int MaxMessageBytes = 1 << 20;

    /// <summary>A person may have to look for a passphrase or a smart card.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly string _fingerprint;
    private readonly TimeProvider _time;

    /// <summary>Signs with the key of this fingerprint.</summary>
    /// <exception cref="MusterException">Usage when it is no fingerprint: names and short ids are not unique.</exception>
    public OpenPgpSigner(string fingerprint, TimeProvider time)
    {
        var bare = fingerprint.Replace(" ", "", StringComparison.Ordinal);
        _fingerprint = bare.Length is 40 or 64 && bare.All(char.IsAsciiHexDigit)
            ? bare.ToUpperInvariant()
            : throw new MusterException(ErrorKind.Usage, $"\"{fingerprint}\" is not the fingerprint of an OpenPGP key: write all its digits, as gpg --list-secret-keys shows them");
        _time = time;
    }

    /// <inheritdoc/>
    public string Scheme => "simple-signing";

    /// <inheritdoc/>
    public async Task<OciSignature> SignAsync(Digest manifest, string name, CancellationToken ct)
    {
        var message = await GpgAsync(SigningDocument.Write(SigningDocument.AtomicType, manifest, name, _time.GetUtcNow()), ct);
        return new OciSignature(Scheme, message, default, "gpg");
    }

    private async Task<byte[]> GpgAsync(byte[] document, CancellationToken ct)
    {
        var start = new ProcessStartInfo("gpg", ["--batch", "--no-armor", "--local-user", _fingerprint, "--sign", "--output", "-"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The agent's question goes to this terminal; gpg cannot see it, because its own streams are pipes.
        if (TerminalDevice.Is(0) && Environment.GetEnvironmentVariable("GPG_TTY") is null && new FileInfo("/proc/self/fd/0").LinkTarget is { } terminal)
        {
            start.Environment["GPG_TTY"] = terminal;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                return await TalkAsync(process, document, limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                ct.ThrowIfCancellationRequested();
                throw new MusterException(ErrorKind.Timeout, $"gpg did not sign with {_fingerprint} within {Limit.TotalMinutes:0} minutes: unlock the key and push again");
            }
        }
        catch (Win32Exception e)
        {
            throw new MusterException(ErrorKind.Unsupported, $"Nothing can be signed with an OpenPGP key because gpg cannot be started ({e.Message}): install gpg", e);
        }
    }

    private async Task<byte[]> TalkAsync(Process process, byte[] document, CancellationToken ct)
    {
        var errors = Read(process.StandardError.BaseStream, MaxMessageBytes, ct);
        var output = Read(process.StandardOutput.BaseStream, MaxMessageBytes, ct);
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(document, ct);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without reading, and says why.
        }

        var message = await output;
        var said = await errors;
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0 && message.Length > 0
            ? message
            : throw new MusterException(ErrorKind.Invalid, $"gpg could not sign with the key {_fingerprint} ({Reason(said)}): gpg --list-secret-keys shows those that it has");
    }

    private static async Task<byte[]> Read(Stream stream, int limit, CancellationToken ct)
    {
        var bytes = new byte[limit];
        var length = await stream.ReadAtLeastAsync(bytes, limit, throwOnEndOfStream: false, ct);
        return bytes[..length];
    }

    // gpg's first line names the cause, the others what follows from it.
    private static string Reason(byte[] said)
    {
        var first = Encoding.UTF8.GetString(said).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "it gave no reason";
        return PgpText.Clean(Encoding.UTF8.GetBytes(first.StartsWith("gpg: ", StringComparison.Ordinal) ? first[5..] : first));
    }
}
