using System.Text;
using CsCheck;
using Muster.Metrics.Agents.Cgroups;

namespace Muster.Metrics.Tests.Agents;

/// <summary>Instances made of a group and a device.</summary>
public sealed class DeviceNamesTests
{
    private static readonly string[] Devices = ["vda", "loop0", "dm-0"];

    [Fact]
    public void Labels_group_and_device_of_what_was_composed() =>
        Gen.Select(Gen.String[Gen.Char["a/.:-é"], 1, 40], Gen.Int[0, 2].Select(i => Devices[i])).Sample((group, device) =>
        {
            var name = new byte[DeviceNames.MaxName];
            var text = Encoding.UTF8.GetString(name, 0, DeviceNames.Compose(name, group, Encoding.UTF8.GetBytes(device)));
            return DeviceNames.Labels(text).SequenceEqual([new("cgroup", group), new("device_name", device)]);
        });

    [Fact]
    public void Labels_nothing_that_was_not_composed()
    {
        DeviceNames.Labels("/a").Should().BeEmpty();
        DeviceNames.Labels(null).Should().BeEmpty();
    }
}
