using Muster.Containers.Manifests;

namespace Muster.Containers.Tests.Manifests;

public sealed class PodManifestWriterTests
{
    [Fact]
    public void Writes_what_the_reader_reads_back()
    {
        var pod = Kit.Pod(Kit.App("web"), Kit.App("db") with { ReadOnlyRoot = true, Annotations = [] });
        var read = PodManifestReader.Read(Kit.Json(json => PodManifestWriter.Write(json, pod)), "pod.json");
        read.Apps.Select(a => a.Name).Should().Equal("web", "db");
        read.Volumes.Should().BeEquivalentTo(pod.Volumes);
        read.Ports.Should().Equal(new Containers.Pods.PortRequest("http", "127.0.0.1", 8080, 80, null));
        read.Isolators.Should().ContainSingle().Which.Value.GetProperty("net.core.somaxconn").GetString().Should().Be("128");
        read.UserAnnotations.Should().Equal(pod.UserAnnotations);
        read.UserLabels.Should().Equal(pod.UserLabels);
        var (app, written) = (read.Apps[0], pod.Apps[0]);
        app.ImageId.Should().Be(written.ImageId);
        app.App!.Exec.Should().Equal(written.Arguments);
        (app.App.User, app.App.Group, app.App.WorkingDirectory).Should().Be(("1000", "1001", "/srv"));
        app.App.SupplementaryGids.Should().Equal(5, 6);
        app.App.Environment.Select(e => e.Name + "=" + e.Value).Should().Equal(written.Environment);
        app.App.Ports.Should().Equal(written.Ports);
        app.App.EventHandlers.Should().BeEquivalentTo(written.EventHandlers);
        app.Annotations.Should().Equal(written.Annotations);
        app.Mounts.Select(m => (m.Volume, m.Target)).Should().Equal(written.Mounts.Select(m => ((string?)m.Volume, m.Target)));
        read.Apps[1].ReadOnlyRoot.Should().BeTrue();
    }
}
