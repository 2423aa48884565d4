using Muster.Linux;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Containers;

/// <summary>What a client that named a container sees of CPUs, and what a container's own files take.</summary>
public sealed class ContainerViewTests
{
    [Fact]
    public void Shows_the_containers_own_time_on_the_CPUs_that_it_may_use()
    {
        using var container = new TestContainer();
        using var catalog = new ContainerCatalog([new FixedContainers { Current = [container.Describe("one", Environment.ProcessId)] }]);
        var agent = KernelAgent.Create(catalog, "0.1");
        var view = MetricView.Host with { Container = "one" };
        if (!File.Exists($"/sys/fs/cgroup/cpuacct{container.Path}/cpuacct.usage_percpu_user"))
        {
            agent.Fetch(view, agent.Metric("kernel.percpu.cpu.user"))[0].Error.Should().Be(PcpError.Value, "version 2 does not count CPUs one by one");
            return;
        }

        container.Set("cpuset", "cpuset.cpus", "0").Should().BeTrue();
        var process = container.Start("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; read line");
        process.StandardOutput.ReadLine().Should().Be("done");
        var user = agent.ByInstance("kernel.percpu.cpu.user", view);
        user.Keys.Should().Equal("cpu0");
        var counted = File.ReadAllText($"/sys/fs/cgroup/cpuacct{container.Path}/cpuacct.usage_percpu_user").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        user["cpu0"].Signed.Should().BePositive().And.BeLessThanOrEqualTo(long.Parse(counted[0]) / 1_000_000);
        agent.ByInstance("kernel.percpu.cpu.sys", view).Keys.Should().Equal("cpu0");
        agent.ByInstance("kernel.percpu.cpu.idle", view).Keys.Should().Equal("cpu0");
        agent.ByInstance("kernel.percpu.cpu.steal", view).Should().BeEmpty("no group counts it");
        agent.ByInstance("kernel.pernode.cpu.user", view).Values.Sum(v => v.Signed).Should().BeGreaterThanOrEqualTo(user["cpu0"].Signed);
        agent.ByInstance("kernel.percpu.cpu.user")["cpu0"].Signed.Should().BeGreaterThan(user["cpu0"].Signed, "the host has more");
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Counts_what_a_container_has_written_over_its_image()
    {
        using var folder = new TestFolder();
        var upper = Directory.CreateDirectory(folder.At("upper")).FullName;
        Directory.CreateDirectory(Path.Combine(upper, "deep/er"));
        File.WriteAllBytes(Path.Combine(upper, "deep/er/file"), new byte[300_000]);
        ProgramRun.Of("/bin/ln", [Path.Combine(upper, "deep/er/file"), Path.Combine(upper, "twice")]).Succeeded();
        File.CreateSymbolicLink(Path.Combine(upper, "out"), "/usr");
        var container = new ContainerDescription { Name = "c", Id = "c", Kind = ContainerKind.Pod, State = ContainerState.Exited, WritableFolders = [upper] };
        using var catalog = new ContainerCatalog([new FixedContainers { Current = [container] }]);
        var agent = new ContainerAgent(catalog, null, TimeProvider.System);

        // du counts the folder itself too.
        var du = long.Parse(ProgramRun.Of("/usr/bin/du", ["-s", "--block-size=1", upper]).Succeeded().Out.Split('\t')[0]);
        var self = long.Parse(ProgramRun.Of("/usr/bin/stat", ["-c", "%b", upper]).Succeeded().Out.Trim()) * 512;
        agent.ByInstance("container.filesystem.used")["c"].Signed.Should().Be(du - self);
        agent.ByInstance("container.filesystem.capacity").Should().BeEmpty("it does not run");

        var few = 3;
        WrittenSpace.Measure(upper, ref few).Should().BeNull("a part of the sum would be a wrong number");
    }

    [Theory]
    [InlineData("overlay / overlay rw,lowerdir=/a:/b,upperdir=/var/x\\040y/upper,workdir=/w 0 0\nproc /proc proc rw 0 0\n", "/var/x y/upper")]
    [InlineData("/dev/vda / ext4 rw 0 0\n", null)]
    [InlineData("overlay / overlay ro,lowerdir=/a:/b 0 0\n", null)]
    [InlineData("overlay / overlay rw,upperdir=/first 0 0\noverlay / overlay rw,upperdir=/second 0 0\n", "/second")]
    [InlineData("overlay /data overlay rw,upperdir=/first 0 0\n", null)]
    [InlineData("overlay / overlay rw,upperdir=relative 0 0\n", null)]
    public void Finds_where_an_overlay_at_the_root_keeps_what_is_written(string mounts, string? upper) =>
        WrittenSpace.UpperOf(System.Text.Encoding.UTF8.GetBytes(mounts)).Should().Be(upper);
}
