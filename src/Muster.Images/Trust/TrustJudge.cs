using Muster.Core;
using Muster.Images.Oci;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>What was found out about one signature, for <c>image verify --signature</c> and for refusals.</summary>
/// <param name="Reason">A clause: why it was accepted or not.</param>
public sealed record SignatureOpinion(string Scheme, string Location, bool Accepted, string Reason)
{
    /// <summary>The key's name in the trust store, where one of its keys made the signature.</summary>
    public string? Key { get; init; }

    /// <summary>The OpenPGP key or subkey that signed.</summary>
    public string? SigningKey { get; init; }

    public string? Signer { get; init; }

    public DateTimeOffset? SignedAt { get; init; }

    /// <summary>The image that the signature names, or that was asked for where it names none.</summary>
    public string? Identity { get; init; }
}

/// <summary>
/// Decides whether an image may come in and whether it may start: signatures against the keys trusted for its name, then
/// the policies and the ban list. Refusals are <see cref="ErrorKind.Forbidden"/> and say why and what to do.
/// </summary>
public sealed class TrustJudge
{
    /// <summary>Signatures of one image that are looked at: each costs public-key operations.</summary>
    private const int MaxSignatures = 64;

    private const string OtherName = "it is a signature for the name";
    private const string OtherImage = "it is a signature of another image";

    private const string Mismatch = "does not match";

    private const string SimpleType = "atomic container signature";
    private const string CosignType = "cosign container image signature";

    private readonly TrustStore _store;
    private readonly TrustPolicy _policy;
    private readonly BanList _bans;
    private readonly TimeProvider _time;
    private readonly ImageStore? _images;

    /// <summary>A judge by the keys and policies of <paramref name="root"/> as they are when asked.</summary>
    public TrustJudge(MusterRoot root, TimeProvider time)
        : this(new TrustStore(root), new TrustPolicy(root), new BanList(root), time) => _images = new ImageStore(root, time);

    internal TrustJudge(TrustStore store, TrustPolicy policy, BanList bans, TimeProvider time)
    {
        _store = store;
        _policy = policy;
        _bans = bans;
        _time = time;
    }

    /// <summary>Refuses early, before a download, what policy or ban list refuses whatever it is signed with.</summary>
    public void CheckBeforeFetch(string reference, IEnumerable<Digest> known)
    {
        var asked = ImageIdentity.Of(reference);
        RefuseByPolicy(_policy.Decide(asked, asked.Repository ?? asked.Name), reference);
        _bans.Check(known, reference);
    }

    /// <summary>Refuses an image when it, a blob of it or one below it is on the ban list.</summary>
    public void CheckBans(ImageRecord image) => _bans.Check(image);

    /// <summary>
    /// Judges a detached OpenPGP signature of an App Container image. <paramref name="check"/> has seen the whole file, as
    /// served; null means that no signature was found. <paramref name="name"/> is the manifest's.
    /// </summary>
    public TrustRecord JudgeDetached(string name, Digest file, OpenPgpSignatureCheck? check, string location)
    {
        if (check is null)
        {
            RefuseByPolicy(_policy.Decide(ImageIdentity.Of(name), name), name);
            throw Unsigned(name, location);
        }

        var opinion = ExamineDetached(name, check, location);
        return opinion.Accepted
            ? Record(opinion, file)
            : throw Refused(name, [opinion], name);
    }

    /// <summary>Whether an image was refused because its signature is of other content.</summary>
    internal static bool IsMismatch(MusterException refusal) => refusal.Kind == ErrorKind.Forbidden && refusal.Message.Contains(Mismatch, StringComparison.Ordinal);

    /// <summary>Says who made a detached signature and why it is accepted or not; refuses only by policy.</summary>
    public SignatureOpinion ExamineDetached(string name, OpenPgpSignatureCheck check, string location)
    {
        var decision = _policy.Decide(ImageIdentity.Of(name), name);
        RefuseByPolicy(decision, name);
        var keys = _store.KeysFor(name);
        var verdict = check.Finish([.. keys.Where(k => k.Key?.OpenPgp is not null).Select(k => k.Key!.OpenPgp!)], _time.GetUtcNow());
        return Restrict(Opinion("openpgp", location, verdict, name), decision);
    }

    /// <summary>
    /// Judges the signatures found beside an OCI manifest: one accepted is enough. <paramref name="reference"/> is the
    /// normalised one that was asked for; where it names no registry, the signature's own name decides which keys count.
    /// </summary>
    /// <param name="reference">What was asked for.</param>
    /// <param name="manifest">The manifest's digest.</param>
    /// <param name="signatures">What was found beside it.</param>
    /// <param name="unread">A clause on signatures that could not be seen, for the refusal; or null.</param>
    public TrustRecord JudgeOci(string reference, Digest manifest, IReadOnlyList<OciSignature> signatures, string? unread = null)
    {
        var opinions = ExamineOci(reference, manifest, signatures);
        foreach (var opinion in opinions)
        {
            if (opinion.Accepted)
            {
                return Record(opinion, manifest);
            }
        }

        var asked = ImageIdentity.Of(reference);
        throw opinions.Count == 0
            ? Unsigned(reference, unread is null ? reference : $"{reference}, and {unread}")
            : Refused(reference, opinions, asked.Repository ?? opinions[0].Identity, unread);
    }

    /// <summary>Says of each signature who made it and why it is accepted or not; refuses only by policy.</summary>
    public IReadOnlyList<SignatureOpinion> ExamineOci(string reference, Digest manifest, IReadOnlyList<OciSignature> signatures)
    {
        var asked = ImageIdentity.Of(reference);
        RefuseByPolicy(_policy.Decide(asked, asked.Repository ?? asked.Name), reference);
        var opinions = new List<SignatureOpinion>();
        foreach (var signature in signatures.Take(MaxSignatures))
        {
            SignatureOpinion opinion;
            try
            {
                opinion = signature.Scheme switch
                {
                    "simple-signing" => SimpleSigning(asked, manifest, signature),
                    "cosign" => Cosign(asked, manifest, signature),
                    "sigstore-bundle" => Bundle(asked, manifest, signature),
                    _ => new SignatureOpinion(signature.Scheme, signature.Location, false, "signatures of this kind are not supported"),
                };
            }
            catch (MusterException e) when (e.Kind == ErrorKind.Invalid)
            {
                opinion = new SignatureOpinion(signature.Scheme, signature.Location, false, e.Message);
            }

            opinions.Add(opinion.Accepted ? Restrict(opinion, _policy.Decide(asked, opinion.Identity ?? "")) : opinion);
        }

        return opinions;
    }

    /// <summary>Lets an image in unverified, as <c>--insecure-options=image</c> asks, unless a policy demands a signature.</summary>
    public TrustRecord JudgeInsecure(string reference, string name)
    {
        var asked = ImageIdentity.Of(reference);
        RefuseInsecure(_policy.Decide(asked, asked.Repository ?? name), reference);
        return new TrustRecord
        {
            Verdict = TrustVerdict.Insecure,
            Identity = asked.Repository ?? name,
            JudgedAt = _time.GetUtcNow(),
            Reason = "not verified, as --insecure-options=image asked",
        };
    }

    /// <summary>The record of an image that <c>image build</c> made in this root.</summary>
    public TrustRecord JudgeBuilt(string name)
    {
        RefuseByPolicy(_policy.Decide(new ImageIdentity(null, name), name), name);
        return new TrustRecord { Verdict = TrustVerdict.Built, Identity = name, JudgedAt = _time.GetUtcNow(), Reason = "built in this root" };
    }

    /// <summary>
    /// Judges an image of the store again, at every prepare and run, by what its reference records: the key must still be
    /// trusted for the name and not be revoked, no policy may refuse it, and it may not be banned. Hashes nothing. A key
    /// that has only expired since does not undo what it signed before. What holds for it holds for the images that it stands on.
    /// </summary>
    public void JudgeAgain(StoredImage image)
    {
        JudgeItself(image);
        foreach (var id in image.Record.Dependencies)
        {
            if (RefusalBelow(id) is { } refusal)
            {
                throw new MusterException(refusal.Kind, $"{image.Reference.Reference} depends on what is refused today: {refusal.Message}", refusal);
            }
        }
    }

    // One name under which a dependency is good suffices. What is gone from the store has no record to judge.
    private MusterException? RefusalBelow(string id)
    {
        if (_images?.Get(id) is not { } image)
        {
            return null;
        }

        var names = _images.ReferencesTo(id);
        var vouched = names.Where(n => n.Trust.Verdict != TrustVerdict.Insecure).ToList();
        MusterException? refusal = null;
        foreach (var name in vouched.Count > 0 ? vouched : names)
        {
            try
            {
                JudgeItself(new StoredImage(image, name));
                return null;
            }
            catch (MusterException e)
            {
                refusal ??= e;
            }
        }

        return refusal;
    }

    private void JudgeItself(StoredImage image)
    {
        _bans.Check(image.Record);
        var trust = image.Reference.Trust;
        var asked = trust.Verdict == TrustVerdict.Built ? new ImageIdentity(null, image.Record.Name) : Asked(image.Reference);
        var identity = trust.Identity ?? "";
        var decision = _policy.Decide(asked, identity.Length > 0 ? identity : asked.Repository ?? image.Record.Name);
        if (trust.Verdict != TrustVerdict.Signed)
        {
            RefuseInsecureOrBuilt(trust, decision, image.Reference.Reference);
            return;
        }

        RefuseByPolicy(decision, image.Reference.Reference);
        var key = trust.Key ?? throw new MusterException(ErrorKind.Corrupt, $"The record of {image.Reference.Reference} names no key: fetch the image again");
        var (standing, path) = _store.Find(identity, key);
        if (standing != KeyStanding.Trusted)
        {
            throw new MusterException(ErrorKind.Forbidden, standing == KeyStanding.Masked
                ? $"{image.Reference.Reference} was signed by {trust.Signer} ({key}), whose trust was taken back by {path}: fetch an image signed by another key, or remove that file"
                : $"{image.Reference.Reference} was signed by {trust.Signer} ({key}), which is no longer trusted {ScopeOf(identity)}: trust it again with muster trust{TrustFlag(identity)} KEY, or fetch the image again");
        }

        if (RevocationOf(path!, trust) is { } revocation)
        {
            throw new MusterException(ErrorKind.Forbidden, $"{image.Reference.Reference} was signed by {trust.Signer} ({key}), but {revocation}: fetch an image signed by another key");
        }

        foreach (var (keys, source) in decision.KeySets)
        {
            if (!keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                throw new MusterException(ErrorKind.Forbidden, $"{image.Reference.Reference} was signed by {trust.Signer} ({key}), which {source} does not list: fetch an image signed by a listed key");
            }
        }
    }

    /// <summary>Why an image of the store would be refused today; null when it would run.</summary>
    public string? RefusalToday(StoredImage image)
    {
        try
        {
            JudgeAgain(image);
            return null;
        }
        catch (MusterException e)
        {
            return e.Message;
        }
    }

    /// <summary>The reference as it was judged: with the registry that a short name was found in.</summary>
    internal static string AskedAs(ReferenceRecord reference)
    {
        var asked = Asked(reference);
        return asked.Repository is null ? reference.Reference : "docker://" + asked.Name;
    }

    /// <summary>What was asked for, with its registry: a short name's was found when it was fetched and stands in the record.</summary>
    private static ImageIdentity Asked(ReferenceRecord reference)
    {
        var asked = ImageIdentity.Of(reference.Reference);
        return asked.Repository is null || reference.Trust.Identity is not { Length: > 0 } name ? asked
            : ImageIdentity.OfRegistry(name + (asked.Tag is null ? "" : ":" + asked.Tag) + (asked.Digest is null ? "" : "@" + asked.Digest));
    }

    private static void RefuseInsecureOrBuilt(TrustRecord trust, PolicyDecision decision, string reference)
    {
        if (trust.Verdict == TrustVerdict.Built)
        {
            RefuseByPolicy(decision, reference);
        }
        else
        {
            RefuseInsecure(decision, reference);
        }
    }

    /// <summary>Whether the key file says today that the key that signed is revoked; mathematics only when it mentions a revocation.</summary>
    private string? RevocationOf(string path, TrustRecord trust)
    {
        if (TrustStore.ReadIfRevoked(path)?.OpenPgp is not { } certificate)
        {
            return null;
        }

        // Judged at the time of signing, an expiry since then does not count; a revocation has no time here.
        var state = certificate.Evaluate(trust.SignedAt ?? trust.JudgedAt);
        return state.Refusal ?? state.RefusalOf(trust.SigningKey ?? certificate.Fingerprint);
    }

    private SignatureOpinion SimpleSigning(ImageIdentity asked, Digest manifest, OciSignature signature)
    {
        var message = OpenPgpMessage.Parse(signature.Payload.Span);
        // Without a registry in the reference the name inside decides which keys are asked; it is believed only if one of them signed.
        var statement = SignedStatement.OfSimpleSigning(message.Content, SimpleType);
        var identity = asked.Repository ?? statement.Repository(manifest);
        var keys = _store.KeysFor(identity);
        var verdict = message.Verify([.. keys.Where(k => k.Key?.OpenPgp is not null).Select(k => k.Key!.OpenPgp!)], _time.GetUtcNow());
        var opinion = Opinion("simple-signing", signature.Location, verdict, identity);
        return verdict.Accepted ? Match(opinion, statement, asked, manifest, nameRequired: true) : opinion;
    }

    private SignatureOpinion Cosign(ImageIdentity asked, Digest manifest, OciSignature signature)
    {
        var statement = SignedStatement.OfSimpleSigning(signature.Payload, CosignType);
        var opinion = ByCosignKey("cosign", asked.Repository ?? statement.Repository(manifest), signature.Location, key => key.Verify(signature.Payload.Span, signature.Signature.Span));
        return opinion.Accepted ? Match(opinion, statement, asked, manifest, nameRequired: false) : opinion;
    }

    private SignatureOpinion Bundle(ImageIdentity asked, Digest manifest, OciSignature signature)
    {
        var (signed, made, payload) = SignedStatement.OfBundle(signature.Payload);
        var statement = SignedStatement.OfInToto(payload);
        var opinion = ByCosignKey("sigstore-bundle", asked.Repository ?? statement.Repository(manifest), signature.Location, key => key.Verify(signed, made));
        return opinion.Accepted ? Match(opinion, statement, asked, manifest, nameRequired: false) : opinion;
    }

    private SignatureOpinion ByCosignKey(string scheme, string identity, string location, Func<CosignPublicKey, bool> verifies)
    {
        var keys = _store.KeysFor(identity).Where(k => k.Key?.Cosign is not null).ToList();
        foreach (var key in keys)
        {
            if (verifies(key.Key!.Cosign!))
            {
                return new SignatureOpinion(scheme, location, true, $"signed by the key {key.Id}") { Key = key.Id, Signer = "cosign key", Identity = identity };
            }
        }

        var why = keys.Count == 0
            ? $"no cosign key is trusted {ScopeOf(identity)}"
            : $"{(keys.Count == 1 ? "the one cosign key" : $"none of the {keys.Count} cosign keys")} trusted {ScopeOf(identity)} {(keys.Count == 1 ? "did not make" : "made")} it, or it was altered";
        return new SignatureOpinion(scheme, location, false, why) { Identity = identity };
    }

    /// <summary>A genuine signature must also be about this manifest and this name.</summary>
    private SignatureOpinion Match(SignatureOpinion opinion, SignedStatement statement, ImageIdentity asked, Digest manifest, bool nameRequired)
    {
        var about = statement.About(manifest);
        if (about.Count == 0)
        {
            return opinion with { Accepted = false, Reason = $"{OtherImage} ({Shown(string.Join(", ", statement.Subjects.SelectMany(s => s.Digests).Take(2)))})" };
        }

        if (about.Any(s => s.Identity is { } named ? IsFor(asked, named) : !nameRequired))
        {
            return opinion;
        }

        var names = about.Where(s => s.Identity is not null).Select(s => $"\"{Shown(s.Identity!.Name)}\"").Take(3).ToList();
        return opinion with { Accepted = false, Reason = names.Count == 0 ? "it names no image" : $"{OtherName} {string.Join(", ", names)}" };
    }

    private bool IsFor(ImageIdentity asked, ImageIdentity named) =>
        asked.Repository is null
        || asked.IsNamedBy(named)
        || _policy.Decide(asked, asked.Repository).SignedAs.Any(rule => asked.Moved(rule.Prefix, rule.SignedAs) is { } moved && moved.IsNamedBy(named));

    private static string Shown(string text) => PgpText.Clean(System.Text.Encoding.UTF8.GetBytes(text));

    private static SignatureOpinion Opinion(string scheme, string location, OpenPgpVerdict verdict, string identity) =>
        new(scheme, location, verdict.Accepted, verdict.Reason)
        {
            Key = verdict.Fingerprint,
            SigningKey = verdict.SigningKey ?? verdict.Issuer,
            Signer = verdict.UserId,
            SignedAt = verdict.SignedAt,
            Identity = identity,
        };

    private static SignatureOpinion Restrict(SignatureOpinion opinion, PolicyDecision decision)
    {
        if (opinion.Accepted && decision.Refusal is { } refusal)
        {
            return opinion with { Accepted = false, Reason = refusal };
        }

        foreach (var (keys, source) in decision.KeySets)
        {
            if (opinion.Accepted && !keys.Contains(opinion.Key, StringComparer.OrdinalIgnoreCase))
            {
                return opinion with { Accepted = false, Reason = $"it was made by {opinion.Signer} ({opinion.Key}), which {source} does not list" };
            }
        }

        return opinion;
    }

    private TrustRecord Record(SignatureOpinion opinion, Digest signed) => new()
    {
        Verdict = TrustVerdict.Signed,
        Scheme = opinion.Scheme,
        Signer = opinion.Signer,
        Key = opinion.Key,
        SigningKey = opinion.Scheme is "openpgp" or "simple-signing" ? opinion.SigningKey : null,
        SignedDigest = signed.ToString(),
        Identity = opinion.Identity,
        SignedAt = opinion.SignedAt,
        JudgedAt = _time.GetUtcNow(),
        Reason = opinion.Reason,
    };

    private static void RefuseByPolicy(PolicyDecision decision, string name)
    {
        if (decision.Refusal is { } refusal)
        {
            throw new MusterException(ErrorKind.Forbidden, $"{name} is refused by policy: {refusal}");
        }
    }

    private static void RefuseInsecure(PolicyDecision decision, string name)
    {
        RefuseByPolicy(decision, name);
        if (decision.RequiredBy is { } source)
        {
            throw new MusterException(ErrorKind.Forbidden, $"{name} may not be used unverified, because {source} requires a signature: sign it, or change that policy");
        }
    }

    private static MusterException Unsigned(string name, string location) => new(
        ErrorKind.Forbidden,
        $"{name} is not signed (no signature was found at {location}): have it signed, or accept it unverified with --insecure-options=image");

    private static MusterException Refused(string name, IReadOnlyList<SignatureOpinion> opinions, string? identity, string? unread = null)
    {
        var reasons = string.Join("; ", opinions.Select(o => $"the {o.Scheme} signature of {o.Location} is not accepted: {o.Reason}").Concat(unread is null ? [] : [unread]));
        if (opinions.All(o => o.Reason.Contains(Mismatch, StringComparison.Ordinal)))
        {
            return new MusterException(ErrorKind.Forbidden, $"{name} is not verified: {reasons}. The content or its signature was altered or belongs to another image: fetch both again from their maker");
        }

        if (opinions.All(o => o.Reason.StartsWith(OtherName, StringComparison.Ordinal) || o.Reason.StartsWith(OtherImage, StringComparison.Ordinal)))
        {
            return new MusterException(ErrorKind.Forbidden, $"{name} is not verified: {reasons}. Its signer is trusted, but has signed something else: ask for the image by the name that was signed, or have it signed for this one");
        }

        return new MusterException(ErrorKind.Forbidden, $"{name} is not verified: {reasons}. If the signer is right, review and trust its key with muster trust{TrustFlag(identity ?? "")} KEY");
    }

    private static string ScopeOf(string identity) => identity.Length == 0 ? "for every image" : $"for \"{identity}\"";

    private static string TrustFlag(string identity) => identity.Length == 0 ? " --root" : $" --prefix {identity}";
}
