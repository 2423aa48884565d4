#pragma warning disable CA1416 // Tests run on Linux only.
using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Oci.Registry;
using Muster.Images.Tests.Trust;

namespace Muster.Images.Tests.Registry;

/// <summary>References, auth files, registries.conf and what podman makes of the same files.</summary>
public sealed class RegistryFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private MusterRoot Root => new(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("docker://registry.example.com/team/app:1.0", "registry.example.com/team/app:1.0")]
    [InlineData("localhost:5000/app", "localhost:5000/app:latest")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("[::1]:5000/a__b/c-d.e", "[::1]:5000/a__b/c-d.e:latest")]
    public void Reads_references(string text, string normal) => RegistryReference.Parse(text).ToString().Should().Be(normal);

    [Theory]
    [InlineData("busybox")]
    [InlineData("host.example/App")]
    [InlineData("host.example/a//b")]
    [InlineData("host.example/../b")]
    [InlineData("host.example/a:")]
    [InlineData("host.example/a:.x")]
    [InlineData("host.example/a@sha256:12")]
    [InlineData("host.example:port/a")]
    [InlineData("user@host.example/a")]
    [InlineData("host.example/a_.b")]
    public void Refuses_what_is_no_reference(string text)
    {
        var parse = () => RegistryReference.Parse(text);
        parse.Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);
    }

    [Fact]
    public void A_digest_alone_has_no_tag()
    {
        var digest = Digest.Sha256("x"u8);
        var reference = RegistryReference.Parse($"host.example/a@{digest}");
        reference.Tag.Should().BeNull();
        reference.Target.Should().Be(digest.ToString());
        RegistryReference.Parse($"host.example/a:1@{digest}").Target.Should().Be(digest.ToString());
    }

    [Fact]
    public void Logins_are_kept_as_podman_keeps_them_and_for_the_owner_only()
    {
        var path = Path.Combine(_folder.Path, "auth.json");
        var files = new AuthFiles(Root, path);
        files.Store("127.0.0.1:5000", new RegistryLogin("anna", "a:b"));
        files.Store("127.0.0.1:5000/team", new RegistryLogin("team", "t"));
        Convert.ToString((int)File.GetUnixFileMode(path), 8).Should().Be("600");
        Encoding.UTF8.GetString(ToolRun.Run("podman", ["login", "--get-login", "--authfile", path, "127.0.0.1:5000"])).Trim().Should().Be("anna");
        files.Find("127.0.0.1:5000/team/app").Should().Be(new RegistryLogin("team", "t"));
        files.Find("127.0.0.1:5000/other").Should().Be(new RegistryLogin("anna", "a:b"));
        files.Find("127.0.0.1:5001/x").Should().BeNull();
        ToolRun.Run("podman", ["logout", "--authfile", path, "127.0.0.1:5000"]);
        files.Find("127.0.0.1:5000/other").Should().BeNull();
        files.Forget("127.0.0.1:5000/team").Should().BeTrue();
        files.Forget("127.0.0.1:5000/team").Should().BeFalse();
    }

    [Fact]
    public void Foreign_members_and_tokens_and_helpers_of_an_auth_file_are_kept_and_used()
    {
        var path = _folder.File("auth.json", """{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"x.io":{"identitytoken":"abc"}},"credHelpers":{"h.io":"muster-test"},"HttpHeaders":{"A":"b"}}""");
        var files = new AuthFiles(Root, path);
        files.Find("docker.io/library/busybox").Should().Be(new RegistryLogin("u", "p"));
        files.Find("x.io/a").Should().Be(new RegistryLogin("<token>", "abc") { IsIdentityToken = true });
        files.Store("y.io", new RegistryLogin("u", "p"));
        File.ReadAllText(path).Should().Contain("HttpHeaders").And.Contain("credHelpers");
        _folder.File("bin/docker-credential-muster-test", "#!/bin/sh\nread host\necho \"{\\\"Username\\\":\\\"$host\\\",\\\"Secret\\\":\\\"s\\\"}\"\n");
        ToolRun.Run("chmod", ["+x", _folder.Path + "/bin/docker-credential-muster-test"]);
        var before = Environment.GetEnvironmentVariable("PATH");
        Environment.SetEnvironmentVariable("PATH", _folder.Path + "/bin:" + before);
        try
        {
            files.Find("h.io/app").Should().Be(new RegistryLogin("h.io", "s"));
            _folder.File("bin/docker-credential-muster-test", "#!/bin/sh\nexec 0<&-\necho 'the keychain is locked'\nexit 1\n");
            var ask = () => files.Find("h.io/app");
            ask.Should().Throw<MusterException>().WithMessage("*the keychain is locked*");
            _folder.File("bin/docker-credential-muster-test", "#!/bin/sh\nexec 0<&-\necho 'credentials not found in native keychain'\nexit 1\n");
            ask().Should().BeNull();
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", before);
        }

        File.WriteAllText(path, "{");
        var read = () => files.Find("x.io");
        read.Should().Throw<MusterException>().WithMessage("*cannot be read*");
    }

    [Fact]
    public void Short_names_are_completed_and_not_guessed()
    {
        RegistriesConfiguration Load(string text)
        {
            _folder.File("etc/registries.conf", text);
            return RegistriesConfiguration.Load(Root);
        }

        Load("").Qualify("busybox:1").Should().Be("docker.io/busybox:1");
        Load("unqualified-search-registries = [\n  'one.io', # the only\n]\n[aliases]\n\"db\" = \"other.io/team/db\"\n").Qualify("app").Should().Be("one.io/app");
        RegistriesConfiguration.Load(Root).Qualify("db:9").Should().Be("other.io/team/db:9");
        var guess = () => Load("unqualified-search-registries = ['one.io', 'two.io']").Qualify("app");
        guess.Should().Throw<MusterException>().WithMessage("*may be in any of one.io, two.io*");
        var wrong = () => Load("a = [1, \n");
        wrong.Should().Throw<MusterException>().WithMessage("*registries.conf cannot be used: line*");
    }

    [Fact]
    public void Mirrors_and_moved_locations_apply_by_the_longest_prefix()
    {
        _folder.File("etc/registries.conf", """
            [[registry]]
            prefix = "example.com"
            location = "moved.example.com/all"
            [[registry]]
            prefix = "example.com/team"
            location = "example.com/team"
            mirror-by-digest-only = true
            [[registry.mirror]]
            location = "m.example.com/x"
            [[registry]]
            prefix = "*.wild.org"
            location = "w.org"
            """);
        var files = RegistriesConfiguration.Load(Root);
        string[] Names(string text) => [.. files.Places(RegistryReference.Parse(text)).Select(p => p.ToString())];
        Names("example.com/other:1").Should().Equal("moved.example.com/all/other:1");
        Names("example.com/team/app:1").Should().Equal("example.com/team/app:1");
        var digest = Digest.Sha256("x"u8);
        Names($"example.com/team/app@{digest}").Should().Equal($"m.example.com/x/app@{digest}", $"example.com/team/app@{digest}");
        Names("a.wild.org/app:1").Should().Equal("w.org/app:1");
        Names("example.community/app:1").Should().Equal("example.community/app:1");
    }

    [Fact]
    public void No_text_makes_the_parsers_fail_otherwise_than_by_refusing()
    {
        const string Seed = "unqualified-search-registries = [\"a\", 'b']\n[[registry]]\nprefix = \"x\\u0041\"\ninsecure = true\n[[registry.mirror]]\nlocation = '''m'''\nt = {a.b = 1, c = []}\n[aliases]\n\"d\" = \"\"\"e\"\"\"\n";
        Gen.Select(Gen.Int[0, Seed.Length - 1], Gen.Char["[]{}\"'=.#\n\\,ab1"], Gen.Int[0, Seed.Length]).Sample((at, c, cut) =>
        {
            var text = Seed[..at] + c + Seed[(at + 1)..];
            RegistryFilesTarget.Run(Encoding.UTF8.GetBytes(cut % 3 == 0 ? text[..cut] : text));
        }, iter: 5000, threads: 2);
        Gen.Byte.Array[0, 200].Sample(data => RegistryFilesTarget.Run(data), iter: 2000, threads: 2);
    }
}
