using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Names;

public sealed class MetricNumbersTests
{
    [Fact]
    public void Packs_a_metric_as_PCP_does()
    {
        var load = MetricId.Of(60, 2, 0);
        load.Value.Should().Be(0x0f000800);
        (load.Domain, load.Cluster, load.Item).Should().Be((60, 2, 0));
        load.ToString().Should().Be("60.2.0");
        InstanceDomainId.Of(60, 2).ToString().Should().Be("60.2");
    }

    [Fact]
    public void Packs_units_as_PCP_does()
    {
        MetricUnits.Byte.Value.Should().Be(0x10000000);
        MetricUnits.Kibibyte.Value.Should().Be(0x10010000);
        MetricUnits.Count.Value.Should().Be(0x00100000);
        MetricUnits.Microsecond.Value.Should().Be(0x01001000);
        MetricUnits.Of(time: -1, count: 1, timeScale: 3, countScale: -2).Value.Should().Be(0x0f103e00);
    }

    [Theory]
    [InlineData(1, -1, 0, 2, 3, 0)]
    [InlineData(-8, 7, 1, 15, 15, -8)]
    public void Gives_back_what_was_packed(int space, int time, int count, int spaceScale, int timeScale, int countScale)
    {
        var units = MetricUnits.Of(space, time, count, spaceScale, timeScale, countScale);
        (units.Space, units.Time, units.CountDimension, units.SpaceScale, units.TimeScale, units.CountScale)
            .Should().Be((space, time, count, spaceScale, timeScale, countScale));
    }
}
