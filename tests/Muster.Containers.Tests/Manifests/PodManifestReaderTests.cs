using System.Text;
using CsCheck;
using Muster.Containers.Manifests;
using Muster.Core;
using Muster.Fuzz;

namespace Muster.Containers.Tests.Manifests;

public sealed class PodManifestReaderTests
{
    private static PodManifest Read(string text) => PodManifestReader.Read(Encoding.UTF8.GetBytes(text), "pod.json");

    private static string Refused(string text)
    {
        var refusal = FluentActions.Invoking(() => Read(text)).Should().Throw<MusterException>().Which;
        refusal.Kind.Should().Be(ErrorKind.Invalid);
        refusal.Message.Should().StartWith("pod.json ").And.NotContain("\n");
        return refusal.Message;
    }

    private static string Pod(string more, string app = "") =>
        $$"""{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"a","image":{"id":"sha512-00"}{{app}}}]{{more}}}""";

    [Fact]
    public void Reads_everything_a_manifest_can_say()
    {
        var pod = PodManifestReader.Read(PodManifestTarget.Seeds[0], "pod.json");
        var app = pod.Apps.Should().ContainSingle().Which;
        (app.Name, app.ImageId, app.App!.Exec.Single()).Should().Be(("web", "sha512-00", "/bin/web"));
        app.Mounts.Single().AppVolume!.Mode.Should().Be("0700");
        pod.Volumes.Select(v => (v.Name, v.Kind, v.Source, v.ReadOnly, v.Recursive, v.Uid)).Should().Equal(("data", "host", "/srv", true, false, 0), ("tmp", "empty", null, false, true, 5));
        pod.Ports.Single().Should().Be(new Containers.Pods.PortRequest("http", "127.0.0.1", 8080, 80, null));
        pod.Isolators.Single().Value.GetProperty("net.core.somaxconn").GetString().Should().Be("128");
        pod.UserLabels.Single().Value.Should().Be("v");
    }

    [Fact]
    public void Tells_everything_that_is_wrong_at_once() => Refused("""
        {"acKind":"ImageManifest","apps":[{"name":"Bad Name","image":{}},{"name":"b"}],
         "volumes":[{"name":"v","kind":"tmpfs"},{"name":"w","kind":"host","source":"relative"},{"name":"x","kind":"empty","mode":"999"}],
         "ports":[{"name":"p","hostPort":70000}]}
        """).Should().ContainAll("acKind", "acVersion is missing", "apps[0].name", "apps[0].image", "apps[1].image", "volumes[0].kind", "volumes[1].source", "volumes[2].mode", "ports[0].hostPort");

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("\"pod\"")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"acKind\":\"PodManifest\",\"acVersion\":\"1\"}")]
    [InlineData("{\"acKind\":\"PodManifest\",\"acVersion\":\"1\",\"apps\":{}}")]
    [InlineData("{\"acKind\":[],\"acVersion\":1,\"apps\":[1]}")]
    public void Refuses_documents_of_the_wrong_shape(string text) => Refused(text);

    [Theory]
    [InlineData(",\"volumes\":7")]
    [InlineData(",\"volumes\":[[]]")]
    [InlineData(",\"isolators\":[{\"name\":7}]")]
    [InlineData(",\"ports\":[{\"name\":\"p\",\"hostPort\":\"80\"}]")]
    [InlineData(",\"ports\":[{\"name\":\"p\",\"hostPort\":1.5}]")]
    [InlineData(",\"userLabels\":[]")]
    [InlineData(",\"userLabels\":{\"a\":1}")]
    [InlineData(",\"annotations\":[{\"name\":1,\"value\":[]}]")]
    [InlineData(",\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\",\"uid\":-1}]")]
    [InlineData(",\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\",\"readOnly\":\"true\"}]")]
    public void Refuses_members_of_the_wrong_type(string more) => Refused(Pod(more));

    [Theory]
    [InlineData(",\"userLabels\":{\"a\":\"\\ud800\"}")]
    [InlineData(",\"userLabels\":{\"\\ud800\":\"a\"}")]
    [InlineData(",\"volumes\":[{\"name\":\"\\udc00\",\"kind\":\"empty\"}]")]
    [InlineData(",\"\\ud800olume\":1,\"volumes\":[{\"name\":\"\\udc00\",\"kind\":\"empty\"}]")]
    public void Refuses_half_surrogates(string more) => Refused(Pod(more));

    [Fact]
    public void Refuses_deep_nesting() => Refused(Pod($",\"x\":{new string('[', 5000)}{new string(']', 5000)}"));

    [Fact]
    public void Refuses_two_apps_of_one_name() =>
        Refused("""{"acKind":"PodManifest","acVersion":"1","apps":[{"name":"a","image":{"id":"sha512-0"}},{"name":"a","image":{"id":"sha512-0"}}]}""").Should().Contain("two apps called \"a\"");

    [Fact]
    public void Refuses_a_manifest_that_is_too_large() =>
        FluentActions.Invoking(() => PodManifestReader.Read(new byte[PodManifestReader.MaxBytes + 1], "pod.json")).Should().Throw<MusterException>().WithMessage("pod.json has *");

    [Fact]
    public void Takes_null_for_what_is_absent() => Read(Pod(",\"volumes\":null,\"annotations\":null,\"ports\":null", ",\"app\":null,\"mounts\":null")).Volumes.Should().BeEmpty();

    [Fact]
    public void Refuses_anything_else_with_a_sentence()
    {
        foreach (var input in Mutation.Of(PodManifestTarget.Seeds, seed: 1, count: 2000))
        {
            PodManifestTarget.Run(input);
        }

        Gen.Byte.Array[0, 100].Sample(bytes => PodManifestTarget.Run(bytes));
    }
}
