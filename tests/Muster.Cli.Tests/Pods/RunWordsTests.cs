using Muster.Cli.Commands.Pods;
using Muster.Containers.Pods;

namespace Muster.Cli.Tests.Pods;

/// <summary>The values of run's options: ports, volumes, networks and filters.</summary>
public sealed class RunWordsTests
{
    [Fact]
    public void Reads_ports()
    {
        PortWords.Named("http:8080").Should().Be(new PortRequest("http", null, 8080, null, null));
        PortWords.Named("http:127.0.0.1:8080").Should().Be(new PortRequest("http", "127.0.0.1", 8080, null, null));
        PortWords.Named("http:[2001:db8::7]:8080").Should().Be(new PortRequest("http", "2001:db8::7", 8080, null, null));
        PortWords.Numbered("8080:80").Should().Equal(new PortRequest(null, null, 8080, 80, "tcp"));
        PortWords.Numbered("[::1]:53:5353/udp").Should().Equal(new PortRequest(null, "::1", 53, 5353, "udp"));
        PortWords.Numbered("[2001:db8::7]:8080:80").Should().Equal(new PortRequest(null, "2001:db8::7", 8080, 80, "tcp"));
        PortWords.Numbered("8000-8001:80-81").Should().Equal(new PortRequest(null, null, 8000, 80, "tcp"), new PortRequest(null, null, 8001, 81, "tcp"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http")]
    [InlineData(":8080")]
    [InlineData("HTTP:8080")]
    [InlineData("http:0")]
    [InlineData("http:65536")]
    [InlineData("http:-1")]
    [InlineData("http:")]
    [InlineData("http:host:80")]
    public void Refuses_a_bad_named_port(string text) => Refusals.Of(() => PortWords.Named(text));

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData(":80")]
    [InlineData("80:")]
    [InlineData("80:80/sctp")]
    [InlineData("80:80/")]
    [InlineData("0:80")]
    [InlineData("80:65536")]
    [InlineData("80: 80")]
    [InlineData("80:+80")]
    [InlineData("1.2.3.4.5:80:80")]
    [InlineData("localhost:80:80")]
    [InlineData("::1:80:80")]
    [InlineData("8000-8002:80")]
    public void Refuses_a_bad_numbered_port(string text) => Refusals.Of(() => _ = PortWords.Numbered(text).ToList());

    [Fact]
    public void Reads_volumes()
    {
        VolumeWords.Volume("data,kind=host,source=/srv/d,readOnly=true,recursive=false").Should()
            .Be(new VolumeRecord { Name = "data", Kind = "host", Source = "/srv/d", ReadOnly = true, Recursive = false });
        VolumeWords.Volume("cache,kind=empty,mode=0700,uid=5,gid=6").Should()
            .Be(new VolumeRecord { Name = "cache", Kind = "empty", Mode = "0700", Uid = 5, Gid = 6 });
        VolumeWords.Mount("volume=data,target=/data").Should().Be(new MountRequest("data", "/data"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("data")]
    [InlineData("Data,kind=empty")]
    [InlineData("../etc,kind=empty")]
    [InlineData("data,kind=tmpfs")]
    [InlineData("data,kind=host")]
    [InlineData("data,kind=host,source=relative")]
    [InlineData("data,kind=empty,source=/srv")]
    [InlineData("data,kind=host,source=/srv,readOnly=yes")]
    [InlineData("data,kind=empty,mode=999")]
    [InlineData("data,kind=empty,mode=07777")]
    [InlineData("data,kind=empty,uid=-1")]
    [InlineData("data,kind=empty,uid=4294967296")]
    [InlineData("data,kind=empty,nonsense")]
    [InlineData("data,kind=empty,size=1G")]
    public void Refuses_a_bad_volume(string text) => Refusals.Of(() => VolumeWords.Volume(text));

    [Theory]
    [InlineData("")]
    [InlineData("data:/data")]
    [InlineData("volume=data")]
    [InlineData("target=/data")]
    [InlineData("volume=data,target=/data,mode=1")]
    public void Refuses_a_bad_mount(string text) => Refusals.Of(() => VolumeWords.Mount(text)).Should().Contain("--mount");

    [Fact]
    public void Reads_networks()
    {
        NetworkWords.Parse([]).Select(n => n.Name).Should().Equal("default");
        NetworkWords.Parse(["a,b", "c"]).Select(n => n.Name).Should().Equal("a", "b", "c");
        NetworkWords.Parse(["a:IP=10.0.0.5;MASK=24"]).Single().Arguments.Should().BeEquivalentTo(new Dictionary<string, string> { ["IP"] = "10.0.0.5", ["MASK"] = "24" });
    }

    [Theory]
    [InlineData("a,b:IP=10.0.0.5", "a()", "b(IP=10.0.0.5)")]
    [InlineData("a:IP=10.0.0.5,b", "a(IP=10.0.0.5)", "b()")]
    [InlineData("a:IP=10.0.0.5,MASK=24,b:IP=fd00::1;MASK=64", "a(IP=10.0.0.5 MASK=24)", "b(IP=fd00::1 MASK=64)")]
    public void Reads_the_arguments_of_each_network_of_a_list(string text, params string[] networks) =>
        NetworkWords.Parse([text]).Select(n => $"{n.Name}({string.Join(' ', n.Arguments.Select(a => $"{a.Key}={a.Value}"))})").Should().Equal(networks);

    [Theory]
    [InlineData("A")]
    [InlineData("a,a")]
    [InlineData("a:IP")]
    [InlineData("a:=x")]
    [InlineData("a,IP=1")]
    [InlineData("../x")]
    [InlineData(":IP=1")]
    [InlineData("")]
    [InlineData(",")]
    public void Refuses_a_bad_network(string text) => Refusals.Of(() => NetworkWords.Parse([text])).Should().Contain("--net");

    [Fact]
    public void Reads_filters()
    {
        SeccompWords.Parse(null).Should().BeNull();
        var filter = SeccompWords.Parse("mode=retain,errno=EPERM,read,write")!;
        (filter.Mode, filter.Errno, string.Join(' ', filter.Calls)).Should().Be(("retain", "EPERM", "read write"));
        SeccompWords.Parse("mode=remove,ptrace")!.Errno.Should().Be("kill", "App Container ends the process where no error is named");
    }

    [Theory]
    [InlineData("")]
    [InlineData("read")]
    [InlineData("mode=retain")]
    [InlineData("mode=allow,read")]
    [InlineData("mode=")]
    public void Refuses_a_bad_filter(string text) => Refusals.Of(() => SeccompWords.Parse(text)).Should().Contain("--seccomp");
}
