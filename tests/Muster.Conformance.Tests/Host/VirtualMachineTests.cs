using Muster.TestKit;

namespace Muster.Conformance.Tests.Host;

/// <summary>The published programs on another Debian and another kernel: the slow tier.</summary>
public sealed class VirtualMachineTests
{
    [Fact]
    public void Does_the_main_job_on_debian_13_with_nothing_but_cgroup_v2()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MUSTER_SLOW_TESTS") == "yes", "slow tier: ./test.sh --all");
        Try();
    }

    [Fact]
    public void Does_the_main_job_on_arm64()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MUSTER_SLOW_TESTS") == "yes", "slow tier: ./test.sh --all");
        Assert.SkipUnless(File.Exists(Path.Combine(Repository.Folder, "out", "arm64", "musterd")), "out/arm64 is not built: ./build.sh --arch arm64");
        Try("--arch", "arm64");
    }

    private static void Try(params string[] words)
    {
        // A machine without KVM emulates every instruction.
        var run = ProgramRun.Of(Path.Combine(Repository.Folder, "eng", "vm", "run.sh"), words, limit: TimeSpan.FromMinutes(20));
        run.Out.Should().MatchRegex("try: [1-9][0-9]* passed, 0 failed\n$");
        run.Status.Should().Be(0);
    }
}
