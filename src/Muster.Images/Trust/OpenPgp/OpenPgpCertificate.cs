using System.Security.Cryptography;
using Muster.Core;

namespace Muster.Images.Trust.OpenPgp;

/// <summary>
/// An OpenPGP public key as a file holds it: the primary key, its user ids and subkeys with their signatures
/// (RFC 9580 §10.1). Parsed once; what it is worth at a moment is told by <see cref="Evaluate"/>.
/// </summary>
public sealed class OpenPgpCertificate
{
    private readonly PgpKey _primary;
    private readonly List<PgpSignature> _primarySignatures = [];
    private readonly List<(byte[] Framed, string Text, List<PgpSignature> Signatures)> _userIds = [];
    private readonly List<(PgpKey? Key, List<PgpSignature> Signatures)> _subkeys = [];

    private OpenPgpCertificate(PgpKey primary) => _primary = primary;

    /// <summary>The primary key's fingerprint: 40 (version 4) or 64 (version 6) lower-case hex digits.</summary>
    public string Fingerprint => _primary.Fingerprint;

    /// <summary>When the primary key says it was made.</summary>
    public DateTimeOffset Created => _primary.Created;

    /// <summary>The primary key's algorithm for people.</summary>
    public string Algorithm => _primary.Describe();

    /// <summary>Reads one public key, armoured or binary; several keys, or a secret one, are refused.</summary>
    public static OpenPgpCertificate Parse(ReadOnlySpan<byte> file)
    {
        var (data, type) = PgpArmor.Read(file, OpenPgpLimits.MaxKeyBytes);
        if (type is not (null or "PUBLIC KEY BLOCK"))
        {
            throw new MusterException(ErrorKind.Invalid, type == "PRIVATE KEY BLOCK"
                ? "It is a secret key: export the public one (gpg --export --armor) and keep this one to yourself"
                : $"It holds a PGP {PgpText.Clean(System.Text.Encoding.UTF8.GetBytes(type))}, not a public key");
        }

        var packets = PgpPacket.Split(data);
        if (packets.Count == 0 || packets[0].Tag != PgpPacket.PublicKey)
        {
            throw new MusterException(ErrorKind.Invalid, packets.Count > 0 && packets[0].Tag == PgpPacket.SecretKey
                ? "It is a secret key: export the public one (gpg --export --armor) and keep this one to yourself"
                : "It does not begin with an OpenPGP public key");
        }

        var primary = PgpKey.TryRead(packets[0].Body)
            ?? throw new MusterException(ErrorKind.Unsupported, "It is an OpenPGP key of a version other than 4 and 6: make a new key");
        var certificate = new OpenPgpCertificate(primary);
        certificate.ReadRest(packets);
        return certificate;
    }

    /// <summary>The fingerprints of every public key in a file that may hold several (a keyring), armoured or binary.</summary>
    public static IReadOnlyList<string> FingerprintsIn(ReadOnlySpan<byte> file)
    {
        var (data, _) = PgpArmor.Read(file, OpenPgpLimits.MaxKeyBytes);
        var fingerprints = new List<string>();
        foreach (var packet in PgpPacket.Split(data))
        {
            if (packet.Tag == PgpPacket.PublicKey && PgpKey.TryRead(packet.Body) is { } key)
            {
                fingerprints.Add(key.Fingerprint);
            }
        }

        return fingerprints;
    }

    /// <summary>The public key as an armoured file, as gpg exports it.</summary>
    public static string Armor(ReadOnlySpan<byte> file) =>
        PgpArmor.Write(PgpArmor.Read(file, OpenPgpLimits.MaxKeyBytes).Data, "PUBLIC KEY BLOCK");

    /// <summary>
    /// Whether a key file holds any revocation, by its packets' types alone: no hash, no mathematics, so that it can be asked
    /// at every start of a pod. Then and only then the key must be evaluated again.
    /// </summary>
    public static bool MentionsRevocation(ReadOnlySpan<byte> file)
    {
        foreach (var packet in PgpPacket.Split(PgpArmor.Read(file, OpenPgpLimits.MaxKeyBytes).Data))
        {
            if (packet.Tag == PgpPacket.Signature && packet.Body.Length > 1
                && packet.Body.Span[1] is PgpSignature.KeyRevocation or PgpSignature.SubkeyRevocation or PgpSignature.CertificationRevocation)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Checks the self-signatures and tells which keys may sign at <paramref name="now"/>, or why none may.</summary>
    public OpenPgpKeyState Evaluate(DateTimeOffset now) => new Evaluation(this, now).Run();

    private void ReadRest(List<PgpPacket> packets)
    {
        var current = _primarySignatures;
        foreach (var packet in packets.Skip(1))
        {
            switch (packet.Tag)
            {
                case PgpPacket.PublicKey:
                    throw new MusterException(ErrorKind.Invalid, "It holds several keys: give one key per file (gpg --export --armor FINGERPRINT)");
                case PgpPacket.SecretKey or PgpPacket.SecretSubkey:
                    throw new MusterException(ErrorKind.Invalid, "It holds a secret subkey: export the public key (gpg --export --armor) and keep this one to yourself");
                case PgpPacket.UserId:
                    _userIds.Add((FrameUserId(0xb4, packet.Body.Span), PgpText.Clean(packet.Body.Span), current = []));
                    break;
                case PgpPacket.UserAttribute:
                    // A photo: its signatures are collected apart and say nothing about the key.
                    current = [];
                    break;
                case PgpPacket.PublicSubkey:
                    _subkeys.Add((PgpKey.TryRead(packet.Body), current = []));
                    break;
                case PgpPacket.Signature when PgpSignature.TryRead(packet.Body) is { } signature:
                    current.Add(signature);
                    break;
            }
        }
    }

    private static byte[] FrameUserId(byte prefix, ReadOnlySpan<byte> body)
    {
        var framed = new byte[5 + body.Length];
        framed[0] = prefix;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)body.Length);
        body.CopyTo(framed.AsSpan(5));
        return framed;
    }

    /// <summary>One look at all self-signatures.</summary>
    private sealed class Evaluation(OpenPgpCertificate certificate, DateTimeOffset now)
    {
        private readonly PgpKey _primary = certificate._primary;
        private int _verifications;
        private string? _weakness;

        public OpenPgpKeyState Run()
        {
            var primaryFrame = _primary.Framed();
            var revocation = Newest(certificate._primarySignatures, s => s.Type == PgpSignature.KeyRevocation, [primaryFrame], isRevocation: true);
            var (self, userIds) = SelfSignature(primaryFrame);
            var expires = self?.KeyLifetime is { } lifetime ? _primary.Created + lifetime : (DateTimeOffset?)null;
            var refusal = revocation is not null ? $"the key was revoked ({revocation.RevocationReason ?? "no reason given"})"
                : self is null && _primary.RsaBits is > 0 and < OpenPgpLimits.MinRsaBits ? $"it is an RSA key of {_primary.RsaBits} bits: at least {OpenPgpLimits.MinRsaBits} are needed"
                : _primary.Created > now + OpenPgpLimits.ClockTolerance ? $"the key claims to be made on {Day(_primary.Created)}, which is in the future: check this machine's clock"
                : self is null && !PgpAlgorithm.Signs(_primary.Algorithm) ? Unaccepted(_primary)
                : self is null ? $"the key has no valid self-signature{(_weakness is null ? "" : ": " + _weakness)}"
                : expires <= now ? $"the key expired on {Day(expires.Value)}"
                : null;
            var keys = new List<OpenPgpSigningKey>
            {
                new(_primary, refusal ?? (!PgpAlgorithm.Signs(_primary.Algorithm) ? Unaccepted(_primary)
                    : self!.KeyFlags is { } flags && (flags & 2) == 0 ? "the key is not meant for signing" : null)),
            };
            foreach (var (key, signatures) in certificate._subkeys)
            {
                if (key is not null)
                {
                    keys.Add(new OpenPgpSigningKey(key, refusal ?? SubkeyRefusal(key, signatures, primaryFrame)));
                }
            }

            return new OpenPgpKeyState(userIds, expires, refusal, keys);
        }

        /// <summary>The newest valid self-signature, over the key itself or over a user id that is not revoked, and the names, the primary one first.</summary>
        private (PgpSignature? Self, List<string> UserIds) SelfSignature(byte[] primaryFrame)
        {
            var best = Newest(certificate._primarySignatures, s => s.Type == PgpSignature.DirectKey, [primaryFrame], isRevocation: false);
            var names = new List<string>();
            foreach (var (framed, text, signatures) in certificate._userIds)
            {
                var binding = Newest(signatures, s => s.Type is >= PgpSignature.GenericCertification and <= PgpSignature.PositiveCertification, [primaryFrame, framed], isRevocation: false);
                var revoked = binding is null ? null : Newest(signatures, s => s.Type == PgpSignature.CertificationRevocation, [primaryFrame, framed], isRevocation: true);
                if (binding is null || (revoked is not null && revoked.Created >= binding.Created))
                {
                    continue;
                }

                if (binding.IsPrimaryUserId)
                {
                    names.Insert(0, text);
                }
                else
                {
                    names.Add(text);
                }

                if (best is null || binding.Created > best.Created)
                {
                    best = binding;
                }
            }

            return (best, names);
        }

        private static string Unaccepted(PgpKey key) => $"keys of the kind {key.Describe()} are not accepted: use RSA, ECDSA or Ed25519";

        private string? SubkeyRefusal(PgpKey key, List<PgpSignature> signatures, byte[] primaryFrame)
        {
            if (!PgpAlgorithm.Signs(key.Algorithm))
            {
                return $"subkeys of the kind {key.Describe()} are not accepted for signing";
            }

            var frame = key.Framed();
            if (Newest(signatures, s => s.Type == PgpSignature.SubkeyRevocation, [primaryFrame, frame], isRevocation: true) is { } revocation)
            {
                return $"the subkey {key.Fingerprint} was revoked ({revocation.RevocationReason ?? "no reason given"})";
            }

            if (Newest(signatures, s => s.Type == PgpSignature.SubkeyBinding, [primaryFrame, frame], isRevocation: false) is not { } binding)
            {
                return $"the subkey {key.Fingerprint} is not validly bound to the key";
            }

            if (binding.KeyLifetime is { } lifetime && key.Created + lifetime <= now)
            {
                return $"the subkey {key.Fingerprint} expired on {Day(key.Created + lifetime)}";
            }

            if (((binding.KeyFlags ?? 0) & 2) == 0)
            {
                return $"the subkey {key.Fingerprint} is not meant for signing";
            }

            // Without its own signature over the primary key anyone could claim another's signing key as a subkey.
            return binding.Embedded is { } embedded && BackSignature(embedded) is { } back && Counts(back, key, [primaryFrame, frame], isRevocation: false)
                ? null
                : $"the subkey {key.Fingerprint} has not signed that it belongs to the key";
        }

        private static PgpSignature? BackSignature(ReadOnlyMemory<byte> embedded)
        {
            try
            {
                return PgpSignature.TryRead(embedded) is { Type: PgpSignature.PrimaryBinding } back ? back : null;
            }
            catch (MusterException)
            {
                return null;
            }
        }

        private PgpSignature? Newest(List<PgpSignature> signatures, Func<PgpSignature, bool> kind, byte[][] content, bool isRevocation)
        {
            PgpSignature? newest = null;
            foreach (var signature in signatures)
            {
                if (kind(signature) && signature.IsBy(_primary) && (newest is null || signature.Created > newest.Created)
                    && Counts(signature, _primary, content, isRevocation))
                {
                    newest = signature;
                }
            }

            return newest;
        }

        private bool Counts(PgpSignature signature, PgpKey by, byte[][] content, bool isRevocation)
        {
            if (signature.Created is not { } created)
            {
                return false;
            }

            // A revocation counts whatever its date or lifetime: erring on this side only refuses.
            if (!isRevocation && (signature.Unintelligible is not null || created > now + OpenPgpLimits.ClockTolerance
                || created < by.Created || (signature.Lifetime is { } lifetime && created + lifetime <= now)))
            {
                return false;
            }

            if (++_verifications > OpenPgpLimits.MaxVerifications)
            {
                throw new MusterException(ErrorKind.Exhausted, $"The key has more than {OpenPgpLimits.MaxVerifications} signatures of its own: export it with --export-options export-minimal");
            }

            var weak = "";
            var name = isRevocation ? PgpHash.ForRevocation(signature.HashId) : PgpHash.Accepted(signature.HashId, out weak);
            if (name is not { } algorithm)
            {
                _weakness ??= weak;
                return false;
            }

            using var hash = IncrementalHash.CreateHash(algorithm);
            hash.AppendData(signature.Salt);
            foreach (var part in content)
            {
                hash.AppendData(part);
            }

            return PgpMaths.Verify(by, signature, algorithm, signature.FinishHash(hash), out _);
        }

        private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>What a certificate is worth at one moment.</summary>
/// <param name="UserIds">Validly bound names, the primary one first.</param>
/// <param name="Expires">When the primary key expires; null for never.</param>
/// <param name="Refusal">Why nothing signed by any of its keys is accepted; null when it is good.</param>
public sealed record OpenPgpKeyState(IReadOnlyList<string> UserIds, DateTimeOffset? Expires, string? Refusal, IReadOnlyList<OpenPgpSigningKey> Keys)
{
    /// <summary>The first name, or the fact that there is none.</summary>
    public string Name => UserIds.Count > 0 ? UserIds[0] : "a key without a name";

    /// <summary>Why the key (primary or sub) of that fingerprint may not sign; null when it may.</summary>
    public string? RefusalOf(string fingerprint)
    {
        foreach (var key in Keys)
        {
            if (key.Fingerprint == fingerprint)
            {
                return key.Refusal;
            }
        }

        return $"the key no longer has the subkey {fingerprint}";
    }
}

/// <summary>A primary key or subkey, with the reason why its signatures are refused, or null.</summary>
public sealed class OpenPgpSigningKey
{
    internal OpenPgpSigningKey(PgpKey key, string? refusal)
    {
        Key = key;
        Refusal = refusal;
    }

    internal PgpKey Key { get; }

    public string Fingerprint => Key.Fingerprint;

    public string? Refusal { get; }
}
