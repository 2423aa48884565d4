using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Tests.Trust;

[Collection("gpg")]
public sealed class OpenPgpSignatureTests(GpgHome gpg)
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("what is signed\r\n", 5000)));

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("rsa")]
    [InlineData("ed25519")]
    [InlineData("p256")]
    public void Accepts_a_signature_by_a_trusted_key_and_refuses_altered_content(string kind)
    {
        var key = kind switch { "rsa" => gpg.Rsa, "p256" => gpg.P256, _ => gpg.Ed25519 };
        var signature = gpg.Sign(key, Content);
        var verdict = Judge(signature, Content, key);
        verdict.Accepted.Should().BeTrue(verdict.Reason);
        verdict.Fingerprint.Should().Be(key);
        verdict.UserId.Should().EndWith("@test>");
        verdict.SignedAt.Should().BeCloseTo(Now, TimeSpan.FromMinutes(5));

        var altered = (byte[])Content.Clone();
        altered[^1] ^= 1;
        Judge(signature, altered, key).Should().Match<OpenPgpVerdict>(v => !v.Accepted && v.Reason.Contains("does not match"));
        Judge(signature, Content.AsSpan(0, Content.Length - 1).ToArray(), key).Accepted.Should().BeFalse();
    }

    [Fact]
    public void Accepts_a_binary_signature()
    {
        var signature = gpg.Gpg(["-u", gpg.Ed25519, "--detach-sign"], Content);
        signature[0].Should().BeGreaterThan(127);
        Judge(signature, Content, gpg.Ed25519).Accepted.Should().BeTrue();
    }

    [Fact]
    public void Accepts_one_good_signature_among_several_and_names_all_when_none_is()
    {
        var both = gpg.Gpg(["-u", gpg.Rsa, "-u", gpg.P256, "--armor", "--detach-sign"], Content);
        Judge(both, Content, gpg.P256).Fingerprint.Should().Be(gpg.P256);
        Judge(both, Content, gpg.Ed25519).Reason.Should().Contain(gpg.Rsa).And.Contain(gpg.P256).And.Contain("not trusted");
    }

    [Theory]
    [InlineData("brainpoolP256r1")]
    [InlineData("nistp384")]
    [InlineData("nistp521")]
    public void Accepts_other_curves(string curve)
    {
        var key = gpg.Generate($"Other {curve} <c@test>", curve, "sign");
        Judge(gpg.Sign(key, Content), Content, key).Accepted.Should().BeTrue();
    }

    [Fact]
    public void Accepts_a_signing_subkey_and_refuses_it_once_revoked()
    {
        var key = gpg.Generate("Sub <sub@test>", "ed25519", "cert");
        gpg.Gpg(["--quick-add-key", key, "ed25519", "sign", "never"]);
        var signature = gpg.Sign(key, Content);
        var verdict = Judge(signature, Content, key);
        verdict.Accepted.Should().BeTrue(verdict.Reason);
        verdict.Fingerprint.Should().Be(key);
        verdict.SigningKey.Should().NotBe(key);

        gpg.Gpg(["--command-fd", "0", "--expert", "--edit-key", key], "key 1\nrevkey\ny\n2\nlost\n\ny\nsave\n"u8.ToArray());
        Judge(signature, Content, key).Should().Match<OpenPgpVerdict>(v => !v.Accepted && v.Reason.Contains("revoked") && v.Reason.Contains("superseded: lost"));
    }

    [Fact]
    public void Refuses_a_subkey_taken_from_another_key()
    {
        // Mallory binds Alice's signing subkey to a key of hers, without Alice's back signature.
        var alice = gpg.Generate("Alice <alice@test>", "ed25519", "cert");
        gpg.Gpg(["--quick-add-key", alice, "ed25519", "sign", "never"]);
        var mallory = gpg.Generate("Mallory <mallory@test>", "ed25519", "cert");
        gpg.Gpg(["--quick-add-key", mallory, "ed25519", "sign", "never"]);
        var a = PgpPacket.Split(PgpArmor.Read(gpg.Export(alice), 100000).Data);
        var m = PgpPacket.Split(PgpArmor.Read(gpg.Export(mallory), 100000).Data);
        var grafted = Join([.. m.TakeWhile(p => p.Tag != PgpPacket.PublicSubkey), .. a.SkipWhile(p => p.Tag != PgpPacket.PublicSubkey)]);
        var verdict = Judge(gpg.Sign(alice, Content), Content, OpenPgpCertificate.Parse(grafted));
        verdict.Accepted.Should().BeFalse();
        verdict.Reason.Should().Contain("not validly bound");
    }

    [Fact]
    public void Refuses_an_expired_key_with_its_day()
    {
        var key = gpg.Generate("Old <old@test>", "ed25519", "sign", "2020-02-01", "--faked-system-time", "20200101T000000");
        var signature = gpg.Sign(key, Content, "--faked-system-time", "20200102T000000");
        Judge(signature, Content, key).Reason.Should().Be("the key expired on 2020-02-01");
        var then = new DateTimeOffset(2020, 1, 3, 0, 0, 0, TimeSpan.Zero);
        Judge(signature, Content, OpenPgpCertificate.Parse(gpg.Export(key)), then).Accepted.Should().BeTrue();
    }

    [Fact]
    public void Says_of_a_key_why_it_counts_for_nothing()
    {
        var early = gpg.Generate("Early <early@test>", "ed25519", "sign", "never", "--faked-system-time", "20980101T000000");
        OpenPgpCertificate.Parse(gpg.Export(early)).Evaluate(Now).Refusal.Should().Contain("2098-01-01").And.Contain("clock");
        var dsa = gpg.Generate("Dsa <dsa@test>", "dsa2048", "sign");
        OpenPgpCertificate.Parse(gpg.Export(dsa)).Evaluate(DateTimeOffset.UtcNow).Refusal.Should().Contain("DSA").And.Contain("not accepted");
    }

    [Fact]
    public void Refuses_an_expired_signature_and_one_from_the_future()
    {
        var expired = gpg.Sign(gpg.Ed25519, Content, "--default-sig-expire", "1d");
        Judge(expired, Content, OpenPgpCertificate.Parse(gpg.Export(gpg.Ed25519)), Now.AddDays(2)).Reason.Should().StartWith("the signature expired on");
        Judge(expired, Content, gpg.Ed25519).Accepted.Should().BeTrue();
        var future = gpg.Sign(gpg.Ed25519, Content, "--faked-system-time", "20990101T000000");
        Judge(future, Content, gpg.Ed25519).Reason.Should().Contain("in the future");
    }

    [Fact]
    public void Refuses_a_revoked_key_with_the_reason()
    {
        var key = gpg.Generate("Gone <gone@test>", "rsa2048", "sign");
        var signature = gpg.Sign(key, Content);
        Judge(signature, Content, key).Accepted.Should().BeTrue();
        gpg.Revoke(key);
        var certificate = OpenPgpCertificate.Parse(gpg.Export(key));
        OpenPgpCertificate.MentionsRevocation(gpg.Export(key)).Should().BeTrue();
        OpenPgpCertificate.MentionsRevocation(gpg.Export(gpg.Rsa)).Should().BeFalse();
        Judge(signature, Content, certificate).Reason.Should().StartWith("the key was revoked");
    }

    [Fact]
    public void Refuses_weak_hashes_weak_keys_text_mode_and_keys_not_for_signing()
    {
        Judge(gpg.Sign(gpg.Rsa, Content, "--digest-algo", "SHA1"), Content, gpg.Rsa).Reason.Should().Contain("SHA-1");
        Judge(gpg.Sign(gpg.Rsa, Content, "--textmode"), Content, gpg.Rsa).Reason.Should().Contain("text mode");
        var weak = gpg.Generate("Weak <weak@test>", "rsa1024", "sign");
        Judge(gpg.Sign(weak, Content), Content, weak).Accepted.Should().BeFalse();
        OpenPgpCertificate.Parse(gpg.Export(weak)).Evaluate(Now).Refusal.Should().Contain("1024 bits");
        var dsa = gpg.Generate("Dsa <dsa@test>", "dsa2048", "sign");
        Judge(gpg.Sign(dsa, Content), Content, dsa).Accepted.Should().BeFalse();
    }

    [Fact]
    public void Reads_an_inline_signed_message_and_refuses_an_altered_one()
    {
        var message = gpg.Gpg(["-u", gpg.Rsa, "--sign"], Content);
        var read = OpenPgpMessage.Parse(message);
        read.Content.ToArray().Should().Equal(Content);
        read.Verify([OpenPgpCertificate.Parse(gpg.Export(gpg.Rsa))], Now).Accepted.Should().BeTrue();

        var plain = gpg.Gpg(["-u", gpg.Rsa, "--compress-algo", "none", "--sign"], Content);
        var at = plain.AsSpan().IndexOf("what is signed"u8);
        plain[at] = (byte)'W';
        OpenPgpMessage.Parse(plain).Verify([OpenPgpCertificate.Parse(gpg.Export(gpg.Rsa))], Now).Accepted.Should().BeFalse();
    }

    [Fact]
    public void Refuses_secret_keys_keyrings_and_nonsense()
    {
        var secret = () => OpenPgpCertificate.Parse(gpg.Gpg(["--armor", "--export-secret-keys", gpg.Ed25519]));
        secret.Should().Throw<MusterException>().WithMessage("*secret key*");
        var several = () => OpenPgpCertificate.Parse(gpg.Gpg(["--armor", "--export", gpg.Ed25519, gpg.Rsa]));
        several.Should().Throw<MusterException>().WithMessage("*several keys*");
        var html = () => OpenPgpCertificate.Parse("<html>not found</html>"u8);
        html.Should().Throw<MusterException>().WithMessage("*neither binary packets nor an armoured block*");
    }

    [Fact]
    public void Our_armour_is_read_by_gpg()
    {
        var armoured = OpenPgpCertificate.Armor(gpg.Gpg(["--export", gpg.Rsa]));
        Encoding.UTF8.GetString(gpg.Gpg(["--with-colons", "--show-keys"], Encoding.ASCII.GetBytes(armoured))).Should().Contain(gpg.Rsa.ToUpperInvariant());
    }

    [Fact]
    public void Accepts_a_version_6_key_made_by_sequoia()
    {
        var certificate = OpenPgpCertificate.Parse(Encoding.ASCII.GetBytes(Version6.Key));
        certificate.Fingerprint.Should().Be(Version6.Fingerprint);
        var state = certificate.Evaluate(Version6.Now);
        state.Refusal.Should().BeNull();
        state.UserIds.Should().Equal("Muster Six");
        var verdict = Judge(Encoding.ASCII.GetBytes(Version6.Signature), "muster signs\n"u8.ToArray(), certificate, Version6.Now);
        verdict.Accepted.Should().BeTrue(verdict.Reason);
        verdict.SigningKey.Should().Be(Version6.SigningKey);
        Judge(Encoding.ASCII.GetBytes(Version6.Signature), "muster sings\n"u8.ToArray(), certificate, Version6.Now).Accepted.Should().BeFalse();
    }

    [Fact]
    public void Every_flipped_bit_of_a_signature_is_refused()
    {
        var signature = gpg.Gpg(["-u", gpg.Ed25519, "--detach-sign"], Content);
        var key = OpenPgpCertificate.Parse(gpg.Export(gpg.Ed25519));
        for (var bit = 0; bit < signature.Length * 8; bit++)
        {
            var flipped = (byte[])signature.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            OpenPgpVerdict verdict;
            try
            {
                verdict = Judge(flipped, Content, key);
            }
            catch (MusterException)
            {
                continue;
            }

            // What is not signed may change without harm: the hint of a key id, the bit counts before the numbers.
            if (verdict.Accepted)
            {
                verdict.Fingerprint.Should().Be(gpg.Ed25519);
                (bit / 8).Should().BeGreaterThan(34);
            }
        }
    }

    [Fact]
    public void No_bytes_make_the_parsers_fail_otherwise_than_by_refusing()
    {
        var seeds = new[] { gpg.Gpg(["--export", gpg.Rsa]), gpg.Export(gpg.P256), gpg.Sign(gpg.Rsa, Content), gpg.Gpg(["-u", gpg.Rsa, "--sign"], Content) };
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Int[0, 5000], Gen.Byte, Gen.Int[0, 5000]).Sample((index, at, value, cut) =>
        {
            var seed = seeds[index];
            var data = seed.AsSpan(0, cut % 4 == 0 ? Math.Min(cut, seed.Length) : seed.Length).ToArray();
            if (data.Length > 0)
            {
                data[at % data.Length] = value;
            }

            OpenPgpTarget.Run(data);
        }, iter: 2000, threads: 2);
        Gen.Byte.Array[0, 300].Sample(data => OpenPgpTarget.Run(data), iter: 2000, threads: 2);
    }

    private OpenPgpVerdict Judge(byte[] signature, byte[] content, string key) => Judge(signature, content, OpenPgpCertificate.Parse(gpg.Export(key)));

    private static OpenPgpVerdict Judge(byte[] signature, byte[] content, OpenPgpCertificate key, DateTimeOffset? now = null)
    {
        using var check = OpenPgpSignatureCheck.Begin(signature);
        for (var at = 0; at < content.Length; at += 4096)
        {
            check.Append(content.AsSpan(at, Math.Min(4096, content.Length - at)));
        }

        return check.Finish([key], now ?? TimeProvider.System.GetUtcNow());
    }

    private static byte[] Join(IReadOnlyList<PgpPacket> packets)
    {
        using var joined = new MemoryStream();
        foreach (var (tag, body) in packets)
        {
            joined.Write([(byte)(0xc0 | tag), 0xff, (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length]);
            joined.Write(body.Span);
        }

        return joined.ToArray();
    }
}
