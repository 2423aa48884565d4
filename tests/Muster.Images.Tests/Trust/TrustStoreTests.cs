using System.Text;
using Muster.Core;
using Muster.Images.Trust;

namespace Muster.Images.Tests.Trust;

[Collection("gpg")]
public sealed class TrustStoreTests : IDisposable
{
    private readonly GpgHome _gpg;
    private readonly TemporaryFolder _folder = new();
    private readonly TrustStore _store;
    private readonly string _vendor;
    private readonly string _local;

    public TrustStoreTests(GpgHome gpg)
    {
        _gpg = gpg;
        _local = Path.Combine(_folder.Path, "etc");
        _vendor = Path.Combine(_folder.Path, "usr");
        _store = new TrustStore(_local, _vendor);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_counts_below_its_prefix_by_whole_components_only()
    {
        var path = _store.Add(Key(_gpg.Rsa), "example.com/team");
        path.Should().Be(Path.Combine(_local, "prefix.d/example.com/team", _gpg.Rsa));
        Ids("example.com/team").Should().Equal(_gpg.Rsa);
        Ids("example.com/team/app").Should().Equal(_gpg.Rsa);
        Ids("example.com/team2").Should().BeEmpty();
        Ids("example.com").Should().BeEmpty();
        Ids("").Should().BeEmpty();
        _store.Find("example.com/team/app", _gpg.Rsa).Should().Be((KeyStanding.Trusted, path));
        _store.Find("example.com", _gpg.Rsa).Standing.Should().Be(KeyStanding.Absent);
    }

    [Fact]
    public void A_prefix_may_have_a_port()
    {
        _store.Add(Key(_gpg.Rsa), "localhost:5000/app");
        Ids("localhost:5000/app").Should().Equal(_gpg.Rsa);
        Ids("localhost:5001/app").Should().BeEmpty();
    }

    [Theory]
    [InlineData("registry.test:5000/app:1.0")]
    [InlineData("registry.test/app@sha256:00")]
    [InlineData("registry.test/*")]
    [InlineData("Registry.test/app")]
    public void Trusts_no_key_for_what_no_image_is_called(string prefix) =>
        ((Action)(() => _store.Add(Key(_gpg.Rsa), prefix))).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains("no image is called so", StringComparison.Ordinal));

    [Fact]
    public void An_empty_file_masks_what_was_loaded_before_it_and_a_later_key_counts_again()
    {
        Put(_vendor, "root.d", _gpg.Rsa);
        Ids("any.org/x").Should().Equal(_gpg.Rsa);
        Mask(_local, "prefix.d/any.org", _gpg.Rsa);
        Ids("any.org/x").Should().BeEmpty();
        Ids("other.org/x").Should().Equal(_gpg.Rsa);
        _store.Find("any.org/x", _gpg.Rsa).Standing.Should().Be(KeyStanding.Masked);
        Put(_local, "prefix.d/any.org/x", _gpg.Rsa);
        Ids("any.org/x").Should().Equal(_gpg.Rsa);
        Ids("any.org/y").Should().BeEmpty();
    }

    [Fact]
    public void The_local_root_masks_the_vendors_root_but_not_its_prefixes()
    {
        Put(_vendor, "root.d", _gpg.Rsa);
        Put(_vendor, "prefix.d/kept.org", _gpg.Rsa);
        Mask(_local, "root.d", _gpg.Rsa);
        Ids("any.org").Should().BeEmpty();
        Ids("kept.org/x").Should().Equal(_gpg.Rsa);
    }

    [Fact]
    public void Removing_deletes_a_local_key_and_masks_a_vendors()
    {
        var local = _store.Add(Key(_gpg.Rsa), null);
        _store.Remove(_gpg.Rsa, null).Should().Be(new KeyRemoval(local, Masked: false));
        File.Exists(local).Should().BeFalse();
        Put(_vendor, "root.d", _gpg.Rsa);
        _store.Remove(_gpg.Rsa, null).Masked.Should().BeTrue();
        Ids("a").Should().BeEmpty();
        var again = () => _store.Remove(_gpg.Rsa, null);
        again.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        _store.Add(Key(_gpg.Rsa), null);
        Ids("a").Should().Equal(_gpg.Rsa);
        var absent = () => _store.Remove(_gpg.P256, "x.org");
        absent.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);
    }

    [Fact]
    public void Refuses_a_key_under_a_wrong_name_or_writable_by_everybody()
    {
        Put(_local, "root.d", _gpg.Rsa, name: _gpg.P256);
        var wrong = () => _store.KeysFor("a");
        wrong.Should().Throw<MusterException>().WithMessage("*must be named by its own fingerprint*");
        File.Delete(Path.Combine(_local, "root.d", _gpg.P256));
        Put(_local, "root.d", _gpg.Rsa);
        ToolRun.Run("chmod", ["o+w", Path.Combine(_local, "root.d", _gpg.Rsa)]);
        wrong.Should().Throw<MusterException>().WithMessage("*written by everybody*");

        // Looking and removing work all the same.
        Put(_local, "root.d", _gpg.P256);
        var faults = new List<string>();
        _store.List(faults.Add).Select(k => k.Id).Should().Equal(_gpg.P256);
        faults.Should().ContainSingle().Which.Should().Contain("written by everybody");
        _store.Remove(_gpg.Rsa, null).Masked.Should().BeFalse();
        Ids("a").Should().Equal(_gpg.P256);
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/./b")]
    [InlineData("a\nb")]
    public void Refuses_names_that_could_leave_the_store(string name)
    {
        var add = () => _store.Add(Key(_gpg.Rsa), name);
        add.Should().Throw<MusterException>();
        var ask = () => _store.KeysFor(name);
        ask.Should().Throw<MusterException>();
        Directory.Exists(_local).Should().BeFalse();
    }

    [Fact]
    public void Keeps_cosign_keys_under_the_digest_of_their_public_key_info()
    {
        var pem = ToolRun.Run("openssl", ["pkey", "-pubout"], ToolRun.Run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]));
        var der = ToolRun.Run("openssl", ["pkey", "-pubin", "-outform", "DER"], pem);
        var key = PublicKeyFile.Parse(pem, "key");
        key.Id.Should().Be(Digest.Sha256(der).Hex);
        _store.Add(key, "localhost:5000");
        _store.List().Should().ContainSingle().Which.Should().Match<TrustedKey>(k => k.Prefix == "localhost:5000" && k.Key!.Kind == "cosign" && !k.Vendor);
    }

    [Fact]
    public void Refuses_keys_of_other_curves_and_what_only_lies_beside_keys()
    {
        static byte[] Made(string kind, string option) => ToolRun.Run("openssl", ["genpkey", "-algorithm", kind, "-pkeyopt", option]);
        Refused(ToolRun.Run("openssl", ["pkey", "-pubout"], Made("EC", "ec_paramgen_curve:secp256k1"))).Should().Contain("P-256, P-384 or P-521");
        Refused(ToolRun.Run("openssl", ["pkey", "-pubout"], Made("EC", "ec_paramgen_curve:prime192v1"))).Should().Contain("P-256, P-384 or P-521");
        Refused(Made("EC", "ec_paramgen_curve:P-256")).Should().Contain("private key");
        using var authority = new Registry.TestAuthority();
        Refused(Encoding.ASCII.GetBytes(authority.AuthorityPem)).Should().Contain("is a certificate");
        foreach (var curve in new[] { "P-256", "P-384", "P-521" })
        {
            PublicKeyFile.Parse(ToolRun.Run("openssl", ["pkey", "-pubout"], Made("EC", "ec_paramgen_curve:" + curve)), "key").Cosign!.Algorithm.Should().Be("ECDSA " + curve);
        }
    }

    private static string Refused(byte[] file) => ((Action)(() => PublicKeyFile.Parse(file, "key"))).Should().Throw<MusterException>().Which.Message;

    [Fact]
    public void Finding_a_key_is_cheap()
    {
        _store.Add(Key(_gpg.Rsa), "example.com/a/b/c");
        _store.Find("example.com/a/b/c/d", _gpg.Rsa);
        var before = GC.GetAllocatedBytesForCurrentThread();
        _store.Find("example.com/a/b/c/d", _gpg.Rsa);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(20_000);
    }

    private string[] Ids(string identity) => [.. _store.KeysFor(identity).Select(k => k.Id)];

    private PublicKeyFile Key(string fingerprint) => PublicKeyFile.Parse(_gpg.Export(fingerprint), "key");

    private void Put(string store, string folder, string key, string? name = null)
    {
        Directory.CreateDirectory(Path.Combine(store, folder));
        File.WriteAllText(Path.Combine(store, folder, name ?? key), Encoding.UTF8.GetString(_gpg.Export(key)));
    }

    private static void Mask(string store, string folder, string key)
    {
        Directory.CreateDirectory(Path.Combine(store, folder));
        File.WriteAllText(Path.Combine(store, folder, key), "");
    }
}
