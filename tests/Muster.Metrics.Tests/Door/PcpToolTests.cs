namespace Muster.Metrics.Tests.Door;

/// <summary>PCP's own tools, from Debian's package, against our door.</summary>
public sealed class PcpToolTests : IDisposable
{
    private readonly TestDoor _door = new();

    public void Dispose() => _door.Dispose();

    [Fact]
    public void Pminfo_fetches_over_tcp()
    {
        var run = _door.Remote("pminfo", "-f", "kernel.all.load").Succeeded();
        run.Out.Should().Contain("inst [1 or \"1 minute\"] value 3.6").And.Contain("inst [15 or \"15 minute\"] value 1.2");
    }

    [Fact]
    public void Pminfo_fetches_over_the_socket()
    {
        var run = _door.Local("pminfo", "-f", "sample", "pmcd.hostname").Succeeded();
        run.Out.Should().Contain("value -42").And.Contain("value 4000000000");
    }
}
