using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Many pods, at once and one after the other: the slow tier.</summary>
public sealed class SlowTests
{
    private static void RequireSlowTier() =>
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MUSTER_SLOW_TESTS") == "yes", "slow tier: ./test.sh --all");

    private static int Files(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count() : 0;

    [Fact]
    public async Task Runs_fifty_pods_with_addresses_at_once()
    {
        RequireSlowTier();
        using var root = new TestRoot();
        var image = root.Image();
        root.Muster("run", "--rm", image, "--", "-c", "true").Succeeded();
        var run = Path.Combine(root.Folder, "run");
        var before = Files(run);
        var names = Enumerable.Range(0, 50).Select(i => $"pod-{i}").ToList();
        var starts = names.ConvertAll(name => Task.Run(() => root.Muster("run", "--detach", "--name=" + name, image, "--", "-c", "exec sleep 1000")));
        var started = await Task.WhenAll(starts);
        started.Where(s => s.Status != 0).Select(s => s.Error).Should().BeEmpty();
        var addresses = names.ConvertAll(name => root.Muster("exec", name, "ip", "-4", "-o", "addr", "show", "eth0").Succeeded().Out.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]);
        addresses.Should().OnlyHaveUniqueItems();
        root.Muster(["rm", "--force", .. names]).Succeeded();
        root.Muster("list", "-q", "--all").Out.Should().BeEmpty();
        root.Muster("gc", "--grace-period=0s").Succeeded();
        root.Leftovers().Should().BeEmpty();
        Files(run).Should().BeLessThanOrEqualTo(before);
    }

    [Fact]
    public void Runs_five_hundred_pods_one_after_the_other()
    {
        RequireSlowTier();
        using var root = new TestRoot();
        var image = root.Image();
        var run = Path.Combine(root.Folder, "run");
        root.Muster("run", "--rm", image, "--", "-c", "true").Succeeded();
        var before = Files(run);
        for (var i = 0; i < 500; i++)
        {
            var one = root.Muster("run", "--rm", image, "--", "-c", $"echo {i}; exit {i % 100}");
            (one.Status, one.Out).Should().Be((i % 100, $"{i}\n"), $"run {i} said {one.Error}");
        }

        root.Muster("list", "-q", "--all").Out.Should().BeEmpty();
        root.Muster("gc", "--grace-period=0s").Succeeded();
        root.Leftovers().Should().BeEmpty();
        Files(run).Should().BeLessThanOrEqualTo(before);
    }
}
