using System.Security.Cryptography;
using Muster.Core;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>What a signature is worth: accepted or not, why, and who made it.</summary>
/// <param name="Accepted">True for a valid signature by a key that may sign now.</param>
/// <param name="Reason">A clause that says why or why not.</param>
public sealed record OpenPgpVerdict(bool Accepted, string Reason)
{
    /// <summary>The primary key's fingerprint; null when no given key made the signature.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The fingerprint of the primary key or subkey that signed.</summary>
    public string? SigningKey { get; init; }

    /// <summary>What the signature itself names as its maker: a fingerprint or key id.</summary>
    public string? Issuer { get; init; }

    public string? UserId { get; init; }

    public DateTimeOffset? SignedAt { get; init; }
}

/// <summary>
/// A detached OpenPGP signature (RFC 9580 §5.2, §10.4) checked while the content streams by: <see cref="Begin"/>,
/// <see cref="Append"/> as often as wanted, <see cref="Finish"/> once the keys are known. The content is hashed by the
/// platform, once for every distinct hash that the signatures ask for.
/// </summary>
public sealed class OpenPgpSignatureCheck : IDisposable
{
    private readonly List<(PgpSignature Signature, HashAlgorithmName? Algorithm, IncrementalHash? Hash, string Refusal)> _signatures = [];

    private OpenPgpSignatureCheck()
    {
    }

    /// <summary>Reads the signature file, armoured or binary, of at most 64 KiB with at most 16 signatures.</summary>
    public static OpenPgpSignatureCheck Begin(ReadOnlySpan<byte> signature)
    {
        var (data, type) = PgpArmor.Read(signature, OpenPgpLimits.MaxSignatureBytes);
        if (type is not (null or "SIGNATURE"))
        {
            throw PgpReader.Malformed($"it is a PGP {PgpText.Clean(System.Text.Encoding.UTF8.GetBytes(type))}, not a signature");
        }

        return Over(PgpPacket.Split(data));
    }

    /// <summary>A check of the signature packets among <paramref name="packets"/>.</summary>
    internal static OpenPgpSignatureCheck Over(List<PgpPacket> packets)
    {
        var check = new OpenPgpSignatureCheck();
        foreach (var packet in packets)
        {
            if (packet.Tag != PgpPacket.Signature)
            {
                continue;
            }

            if (check._signatures.Count == OpenPgpLimits.MaxSignatures)
            {
                check.Dispose();
                throw PgpReader.Malformed($"it has more than {OpenPgpLimits.MaxSignatures} signatures");
            }

            if (PgpSignature.TryRead(packet.Body) is { } read)
            {
                check.Add(read);
            }
        }

        return check._signatures.Count > 0 ? check : throw PgpReader.Malformed("it holds no signature of version 4 or 6");
    }

    /// <summary>Hashes the next bytes of the content.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        foreach (var (_, _, hash, _) in _signatures)
        {
            hash?.AppendData(data);
        }
    }

    /// <summary>
    /// Judges against <paramref name="keys"/>, the trusted ones for this content: the verdict of the first accepted
    /// signature, or a refusal that says of each signature why. To be called once.
    /// </summary>
    public OpenPgpVerdict Finish(IReadOnlyList<OpenPgpCertificate> keys, DateTimeOffset now)
    {
        var refusals = new List<OpenPgpVerdict>();
        foreach (var (signature, algorithm, hash, refusal) in _signatures)
        {
            var verdict = hash is null
                ? new OpenPgpVerdict(false, refusal)
                : Judge(signature, algorithm!.Value, signature.FinishHash(hash), keys, now);
            verdict = verdict with { Issuer = signature.Issuer, SignedAt = signature.Created };
            if (verdict.Accepted)
            {
                return verdict;
            }

            refusals.Add(verdict);
        }

        return refusals.Count == 1 ? refusals[0] : refusals[0] with { Reason = string.Join("; ", refusals.Select(r => r.Issuer + ": " + r.Reason)) };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, _, hash, _) in _signatures)
        {
            hash?.Dispose();
        }
    }

    private void Add(PgpSignature signature)
    {
        var algorithm = PgpHash.Accepted(signature.HashId, out var refusal);
        refusal = algorithm is null ? "the signature is refused: " + refusal
            : signature.Type != PgpSignature.Binary ? signature.Type == PgpSignature.Text
                ? "the signature was made in text mode, which changes line ends: sign in binary mode"
                : $"the signature is of type 0x{signature.Type:x2}, not over a file"
            : signature.Unintelligible is { } why ? "the signature is refused: " + why
            : signature.Created is null ? "the signature does not say when it was made"
            : "";
        var hash = refusal.Length == 0 ? IncrementalHash.CreateHash(algorithm!.Value) : null;
        hash?.AppendData(signature.Salt);
        _signatures.Add((signature, algorithm, hash, refusal));
    }

    private static OpenPgpVerdict Judge(PgpSignature signature, HashAlgorithmName algorithm, byte[] hash, IReadOnlyList<OpenPgpCertificate> keys, DateTimeOffset now)
    {
        OpenPgpVerdict? refusal = null;
        foreach (var certificate in keys)
        {
            var state = certificate.Evaluate(now);
            foreach (var candidate in state.Keys)
            {
                if (!signature.IsBy(candidate.Key))
                {
                    continue;
                }

                // The mathematics comes first, so that nobody is blamed for a signature that is not theirs.
                var genuine = PgpMaths.Verify(candidate.Key, signature, algorithm, hash, out var why);
                why = genuine ? candidate.Refusal ?? TimeRefusal(signature, candidate.Key, now) : why;
                var verdict = new OpenPgpVerdict(genuine && why is null, why ?? $"signed by {state.Name}")
                {
                    Fingerprint = certificate.Fingerprint,
                    SigningKey = candidate.Fingerprint,
                    UserId = state.Name,
                };
                if (verdict.Accepted)
                {
                    return verdict;
                }

                refusal = verdict;
            }
        }

        return refusal ?? new OpenPgpVerdict(false, $"it was made by the key {signature.Issuer}, which is not trusted for this image");
    }

    private static string? TimeRefusal(PgpSignature signature, PgpKey key, DateTimeOffset now)
    {
        var created = signature.Created!.Value;
        return created > now + OpenPgpLimits.ClockTolerance ? "the signature claims to be made in the future: check this machine's clock"
            : created < key.Created ? "the signature claims to be older than its key"
            : signature.Lifetime is { } lifetime && created + lifetime <= now ? $"the signature expired on {created + lifetime:yyyy-MM-dd}"
            : null;
    }
}
