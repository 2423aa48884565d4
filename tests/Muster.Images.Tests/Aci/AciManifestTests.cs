using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Aci;

namespace Muster.Images.Tests.Aci;

public sealed class AciManifestTests
{
    private const string Good = """
        {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/reduce-worker",
         "labels":[{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"},{"name":"arch","value":"aarch64"}],
         "app":{"exec":["/usr/bin/reduce-worker","--quiet"],"user":"100","group":"300","supplementaryGIDs":[400,500],
          "eventHandlers":[{"name":"pre-start","exec":["/usr/bin/data-downloader"]},{"name":"post-stop","exec":["/usr/bin/cleanup"]}],
          "workingDirectory":"/opt/work","environment":[{"name":"REDUCE_WORKER_DEBUG","value":"true"}],
          "isolators":[{"name":"resource/cpu","value":{"limit":"20"}},{"name":"os/linux/capabilities-retain-set","value":{"set":["CAP_NET_BIND_SERVICE"]}}],
          "mountPoints":[{"name":"work","path":"/var/lib/work","readOnly":true}],
          "ports":[{"name":"health","port":4000,"protocol":"tcp","socketActivated":true},{"name":"many","port":5000,"count":10,"protocol":"udp"}],
          "userAnnotations":{"a":"b"},"userLabels":{"c":"d"}},
         "dependencies":[{"imageName":"example.com/base","imageID":"sha512-ab12","labels":[{"name":"os","value":"linux"}],"size":22017258}],
         "pathWhitelist":["/etc/ca/example.com/crt","/usr/bin/map-reduce-worker"],
         "annotations":[{"name":"created","value":"2014-10-27T19:32:27.67021798Z"},{"name":"homepage","value":"https://example.com"}],"future":{"x":1}}
        """;

    [Fact]
    public void Reads_the_example_of_the_specification()
    {
        var manifest = Read(Good);
        manifest.Version.Should().Be("1.0.0");
        manifest.Architecture.Should().Be("arm64");
        manifest.App!.Exec.Should().Equal("/usr/bin/reduce-worker", "--quiet");
        manifest.App.SupplementaryGids.Should().Equal(400, 500);
        manifest.App.Ports[1].Should().Be(new PortSpec("many", "udp", 5000, 10));
        manifest.App.MountPoints.Should().Equal(new MountPoint("work", "/var/lib/work", true));
        manifest.Dependencies.Should().ContainSingle().Which.Id.Should().Be("sha512-ab12");
        manifest.PathWhitelist.Should().HaveCount(2);
    }

    [Theory]
    [InlineData("\"ImageManifest\"", "\"PodManifest\"", "acKind")]
    [InlineData("\"0.8.11\"", "\"1.0.0\"", "acVersion")]
    [InlineData("\"0.8.11\"", "8", "acVersion")]
    [InlineData("example.com/reduce-worker", "Example.com", "name")]
    [InlineData("\"linux\"},{\"name\":\"arch\"", "\"plan9\"},{\"name\":\"arch\"", "labels")]
    [InlineData("aarch64", "z80", "labels")]
    [InlineData("\"user\":\"100\"", "\"user\":100", "app.user")]
    [InlineData("\"user\":\"100\",", "", "app.user")]
    [InlineData("[400,500]", "[-1]", "supplementaryGIDs")]
    [InlineData("post-stop", "pre-start", "eventHandlers")]
    [InlineData("post-stop", "other", "eventHandlers")]
    [InlineData("/opt/work", "opt/work", "workingDirectory")]
    [InlineData("/var/lib/work", "/var/../work", "mountPoints")]
    [InlineData("\"work\",\"path\"", "\"Work\",\"path\"", "mountPoints")]
    [InlineData("4000", "70000", "ports")]
    [InlineData("4000", "\"4000\"", "ports")]
    [InlineData("\"many\"", "\"health\"", "ports")]
    [InlineData("\"count\":10", "\"count\":65000", "ports")]
    [InlineData("\"udp\"", "\"sctp\"", "ports")]
    [InlineData("sha512-ab12", "md5-ab12", "imageID")]
    [InlineData("\"/etc/ca", "\"etc/ca", "pathWhitelist")]
    [InlineData("2014-10-27T19", "yesterday", "annotations")]
    [InlineData("https://example.com", "ftp://example.com", "annotations")]
    [InlineData("{\"a\":\"b\"}", "{\"a\":1}", "userAnnotations")]
    public void Names_what_is_wrong(string find, string replace, string member)
    {
        Good.Should().Contain(find);
        ((Action)(() => Read(Good.Replace(find, replace, StringComparison.Ordinal)))).Should().Throw<MusterException>()
            .Where(e => e.Kind == ErrorKind.Invalid && e.Message.Contains(member, StringComparison.Ordinal));
    }

    [Fact]
    public void Tells_every_fault_at_once() =>
        ((Action)(() => Read("""{"acKind":"X","name":"A","labels":"no","app":{"exec":[1]}}"""))).Should().Throw<MusterException>()
            .Where(e => e.Message.Contains("acKind", StringComparison.Ordinal) && e.Message.Contains("acVersion", StringComparison.Ordinal) && e.Message.Contains("labels", StringComparison.Ordinal) && e.Message.Contains("app.exec", StringComparison.Ordinal) && e.Message.Contains("app.group", StringComparison.Ordinal));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"name\":\"a\",\"name\":\"b\"}")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\",\"x\":\"\\ud800\"}")]
    [InlineData("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\",\"app\":{\"user\":\"0\",\"group\":\"0\",\"userLabels\":{\"\\ud800\":\"\"}}}")]
    public void Refuses_what_is_no_object(string text) => ((Action)(() => Read(text))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);

    [Fact]
    public void Survives_any_change_of_a_manifest() => Gen.Select(Gen.Int[0, Good.Length - 1], Gen.Int[0, 30], Gen.Byte.Array[0, 10]).Sample((at, length, insert) =>
        ManifestTarget.Run([.. Encoding.UTF8.GetBytes(Good[..at]), .. insert, .. Encoding.UTF8.GetBytes(Good[Math.Min(Good.Length, at + length)..])]), iter: 20_000);

    [Fact]
    public void Survives_any_bytes() => Gen.Byte.Array[0, 200].Sample(bytes => ManifestTarget.Run(bytes), iter: 1000);

    private static AciManifest Read(string json) => AciManifestReader.Read(Encoding.UTF8.GetBytes(json));
}
