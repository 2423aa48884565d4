using System.Diagnostics;
using Muster.Linux;

namespace Muster.Network.Tests;

public class ServiceCgroupTests
{
    [Theory]
    [InlineData("4:memory:/x\n9:name=systemd:/\n0::/\n", "")]
    [InlineData("4:memory:/x\n9:name=systemd:/user.slice\n0::/\n", "name=systemd")]
    [InlineData("0::/system.slice/a:b.service\n", "-")]
    [InlineData("0::/muster-services\n\n:\nx", "")]
    public void Finds_the_unit_that_a_process_is_in(string text, string found) =>
        string.Join(' ', ServiceCgroup.Units(text, "/muster-services").Select(u => u.Length == 0 ? "-" : u)).Should().Be(found);

    [Fact]
    public void Takes_a_program_out_of_the_unit_that_started_it()
    {
        var hierarchy = CgroupHierarchies.Load().All.FirstOrDefault(h => h.IsV2 || h.Controllers.Contains("name=systemd"));
        if (hierarchy is null)
        {
            Assert.Skip("no cgroup2 or name=systemd hierarchy is mounted");
        }

        using var root = new TestRoot();
        var unit = Path.Combine(hierarchy.MountPoint, "unit-" + root.Root.Tag);
        Directory.CreateDirectory(unit);
        using var program = Process.Start("sleep", "60")!;
        try
        {
            File.WriteAllText(Path.Combine(unit, "cgroup.procs"), program.Id.ToString());
            ServiceCgroup.MoveOut(program.Id, root.Root);
            File.ReadAllText($"/proc/{program.Id}/cgroup").Should().Contain(ServiceCgroup.PathOf(root.Root)).And.NotContain("unit-");
        }
        finally
        {
            program.Kill();
            program.WaitForExit();
            TestHost.Eventually(() =>
            {
                ServiceCgroup.Remove(root.Root);
                return !Directory.Exists(hierarchy.MountPoint + ServiceCgroup.PathOf(root.Root));
            }, "the cgroup is left");
            Directory.Delete(unit);
        }
    }
}
