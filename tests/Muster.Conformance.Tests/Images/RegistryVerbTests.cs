using Muster.Images.Tests.Registry;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Images;

/// <summary>login, push and fetch of the program against Debian's docker-registry over TLS, with Basic and with Bearer tokens.</summary>
public sealed class RegistryVerbTests : IDisposable
{
    private readonly TestRoot _root = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("basic")]
    [InlineData("bearer")]
    public async Task What_is_pushed_after_a_login_is_fetched_and_run(string auth)
    {
        await using var registry = await DockerRegistry.StartAsync(auth, Ct);
        Certificates(registry);
        var image = _root.Image();
        var environment = new Dictionary<string, string> { ["REGISTRY_AUTH_FILE"] = Path.Combine(_root.Work, "auth.json") };
        var place = $"docker://{registry.Host}/team/busybox:1";
        Muster("", "push", image, place).Error.Should().Contain("muster login");
        Muster("wrong", "login", "-u", DockerRegistry.User, "--password-stdin", registry.Host).Status.Should().Be(254);
        Muster(DockerRegistry.Password, "login", "-u", DockerRegistry.User, "--password-stdin", registry.Host).Succeeded();
        Muster("", "push", image, place).Succeeded();
        var id = _root.Muster("image", "list", "-q").Succeeded().Out;
        _root.Muster("image", "rm", image).Succeeded();
        Muster("", "fetch", place).Error.Should().Contain("is not signed");
        Muster("", "fetch", "--insecure-options=image", place).Succeeded();
        _root.Muster("image", "list", "-q").Succeeded().Out.Should().Be(id);
        Muster("", "run", "--net=none", "--insecure-options=image", place, "--", "-c", "echo hi").Succeeded().Out.Should().Be("hi\n");
        Muster("", "logout", registry.Host).Succeeded();

        ProgramRun Muster(string input, params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", _root.Folder, .. words], input, environment);
    }

    private void Certificates(DockerRegistry registry)
    {
        foreach (var host in Directory.GetDirectories(Path.Combine(registry.Root.Etc, "certs.d")))
        {
            var folder = Directory.CreateDirectory(Path.Combine(_root.Folder, "etc/certs.d", Path.GetFileName(host))).FullName;
            File.Copy(Path.Combine(host, "ca.crt"), Path.Combine(folder, "ca.crt"));
        }
    }
}
