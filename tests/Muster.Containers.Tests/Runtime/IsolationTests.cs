using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core;

namespace Muster.Containers.Tests.Runtime;

public sealed class IsolationTests
{
    private static readonly AppSpec Nothing = new() { Image = null!, Layers = [] };

    private static IsolationRecord Resolve(params string[] isolators) => Isolation.Resolve(Nothing, Kit.Template(isolators), [], _ => { });

    [Fact]
    public void Confines_an_app_that_asks_for_nothing()
    {
        var plain = Resolve();
        plain.Capabilities.Should().HaveCount(14).And.NotContain("CAP_SYS_ADMIN");
        (plain.NoNewPrivileges, plain.Seccomp.Mode, plain.MaskPaths, plain.PidsLimit).Should().Be((true, "default", true, Isolation.DefaultPidsLimit));
        (plain.MemoryLimit, plain.CpuLimitMillis, plain.OomScoreAdj).Should().Be((null, null, null));
    }

    [Fact]
    public void Reads_each_isolator_of_the_specification()
    {
        var memory = Resolve("""resource/memory {"limit":"1Gi","request":"512M"}""");
        (memory.MemoryLimit, memory.MemoryRequest).Should().Be((1_073_741_824, 512_000_000));
        var cpu = Resolve("""resource/cpu {"limit":"1500m","request":"500m"}""");
        (cpu.CpuLimitMillis, cpu.CpuShares).Should().Be((1500, 512));
        Resolve("""resource/cpu {"limit":2}""").CpuLimitMillis.Should().Be(2000);
        Resolve("""resource/block-bandwidth {"default":true,"limit":"2M"}""").BlockBytesPerSecond.Should().Be(2_000_000);
        Resolve("""resource/block-iops {"default":true,"limit":"1000"}""").BlockOperationsPerSecond.Should().Be(1000);
        Resolve("""resource/network-bandwidth {"default":true,"limit":"1Mi"}""").NetworkBytesPerSecond.Should().Be(1 << 20);
        Resolve("""os/linux/capabilities-retain-set {"set":["CAP_KILL","net_admin"]}""").Capabilities.Should().Equal("CAP_KILL", "CAP_NET_ADMIN");
        Resolve("""os/linux/capabilities-remove-set {"set":["CAP_KILL"]}""").Capabilities.Should().HaveCount(13).And.NotContain("CAP_KILL");
        Resolve("os/linux/no-new-privileges false").NoNewPrivileges.Should().BeFalse();
        Resolve("os/linux/oom-score-adj -500").OomScoreAdj.Should().Be(-500);
        Resolve("os/linux/cpu-shares 2048").CpuShares.Should().Be(2048);
        var filter = Resolve("""os/linux/seccomp-remove-set {"set":["ptrace"],"errno":"ENOTSUP"}""").Seccomp;
        (filter.Mode, filter.Calls.Single(), filter.Errno).Should().Be(("remove", "ptrace", "ENOTSUP"));
        Resolve("""os/linux/seccomp-retain-set {"set":["read"]}""").Seccomp.Errno.Should().Be("kill");
    }

    [Theory]
    [InlineData("resource/memory {\"limit\":\"lots\"}")]
    [InlineData("resource/memory {\"limit\":\"-1\"}")]
    [InlineData("resource/memory {\"limit\":{}}")]
    [InlineData("resource/memory {\"limit\":\"0\"}")]
    [InlineData("resource/cpu {\"limit\":\"0\"}")]
    [InlineData("resource/cpu {\"limit\":\"9m\"}")]
    [InlineData("resource/block-bandwidth {\"default\":true,\"limit\":\"0\"}")]
    [InlineData("resource/block-iops {\"default\":true,\"limit\":\"0\"}")]
    [InlineData("resource/block-bandwidth {\"default\":true,\"limit\":\"5M\",\"request\":\"1M\"}")]
    [InlineData("resource/block-iops {\"default\":true,\"limit\":\"500\",\"request\":\"100\"}")]
    [InlineData("resource/memory []")]
    [InlineData("resource/memory")]
    [InlineData("resource/cpu {\"limit\":\"9E\"}")]
    [InlineData("resource/cpu {\"request\":\"9E\"}")]
    [InlineData("os/linux/no-new-privileges")]
    [InlineData("os/linux/no-new-privileges \"yes\"")]
    [InlineData("os/linux/oom-score-adj 1001")]
    [InlineData("os/linux/oom-score-adj \"5\"")]
    [InlineData("os/linux/cpu-shares 1")]
    [InlineData("os/linux/cpu-shares 99999999999999999999")]
    [InlineData("os/linux/capabilities-retain-set {\"set\":[\"CAP_EVERYTHING\"]}")]
    [InlineData("os/linux/capabilities-retain-set {\"set\":\"CAP_KILL\"}")]
    [InlineData("os/linux/capabilities-retain-set {\"set\":[7]}")]
    [InlineData("os/linux/seccomp-retain-set {\"errno\":\"EPERM\"}")]
    [InlineData("resource/network-bandwidth {\"limit\":\"1G\"}")]
    [InlineData("resource/network-bandwidth {\"default\":false,\"limit\":\"1G\"}")]
    [InlineData("resource/network-bandwidth {\"default\":true,\"limit\":\"1G\",\"request\":\"1\"}")]
    [InlineData("resource/network-bandwidth {\"default\":true,\"limit\":\"999\"}")]
    public void Refuses_a_value_of_the_wrong_form(string isolator) => FluentActions.Invoking(() => Resolve(isolator))
        .Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid);

    [Fact]
    public void Refuses_what_is_given_twice_or_against_itself()
    {
        FluentActions.Invoking(() => Resolve("os/linux/cpu-shares 5", "os/linux/cpu-shares 5")).Should().Throw<MusterException>().WithMessage("*os/linux/cpu-shares is given twice");
        FluentActions.Invoking(() => Resolve("""os/linux/capabilities-retain-set {"set":[]}""", """os/linux/capabilities-remove-set {"set":[]}""")).Should().Throw<MusterException>().WithMessage("*not both");
        FluentActions.Invoking(() => Resolve("""os/linux/seccomp-retain-set {"set":["read"]}""", """os/linux/seccomp-remove-set {"set":["read"]}""")).Should().Throw<MusterException>().WithMessage("*not both");
    }

    [Fact]
    public void Refuses_what_it_cannot_enforce_unless_told_to_ignore_it()
    {
        FluentActions.Invoking(() => Resolve("""os/linux/selinux-context {"user":"u"}""")).Should().Throw<MusterException>()
            .Where(e => e.Kind == ErrorKind.Unsupported).WithMessage("*os/linux/selinux-context*--ignore-isolator=os/linux/selinux-context");
        var told = new List<string>();
        var result = Isolation.Resolve(Nothing, Kit.Template("""os/linux/selinux-context {"user":"u"}""", "os/linux/cpu-shares 5"), ["os/linux/selinux-context"], told.Add);
        result.CpuShares.Should().Be(5);
        told.Should().ContainSingle().Which.Should().Contain("os/linux/selinux-context");
    }

    [Theory]
    [InlineData("resource/memory", "64Mi", "32Mi", "--memory")]
    [InlineData("resource/memory", "1001", "1k", "--memory")]
    [InlineData("resource/cpu", "2", "1500m", "--cpu")]
    public void Refuses_a_request_above_its_limit(string name, string request, string limit, string option)
    {
        var isolator = $$"""{{name}} {"request":"{{request}}","limit":"{{limit}}"}""";
        FluentActions.Invoking(() => Resolve(isolator)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid)
            .WithMessage($"Isolator {name} requests {request}, more than its limit of {limit} lets the app have: *{option}*--ignore-isolator={name}");
        Resolve($$"""{{name}} {"request":"{{limit}}","limit":"{{limit}}"}""").Should().NotBeNull("as much as the limit can be had");
        Isolation.Resolve(Nothing, Kit.Template(isolator), [name], _ => { }).Should().BeEquivalentTo(Resolve());
        Isolation.Resolve(Nothing with { MemoryLimit = 1 << 30, CpuLimitMillis = 4000 }, Kit.Template(isolator), [], _ => { }).Should().NotBeNull("the command line's limit is the one that holds");
    }

    [Fact]
    public void Lowers_a_request_to_the_limit_of_the_command_line_and_says_so()
    {
        var told = new List<string>();
        var result = Isolation.Resolve(Nothing with { MemoryLimit = 1000 }, Kit.Template("""resource/memory {"request":"2k","limit":"3k"}"""), [], told.Add);
        (result.MemoryRequest, result.MemoryLimit).Should().Be((1000, 1000));
        told.Should().ContainSingle().Which.Should().Contain("--memory");
    }

    [Fact]
    public void Keeps_no_capability_where_none_is_to_be_kept()
    {
        Isolation.Resolve(Nothing with { CapabilitiesRetain = [] }, Kit.Template(), [], _ => { }).Capabilities.Should().BeEmpty();
        Isolation.Resolve(Nothing with { CapabilitiesRetain = null }, Kit.Template(), [], _ => { }).Capabilities.Should().HaveCount(14);
    }

    [Fact]
    public void Refuses_to_refuse_a_system_call_that_does_not_exist()
    {
        FluentActions.Invoking(() => Resolve("""os/linux/seccomp-remove-set {"set":["mkdir","nosuchcall"]}""")).Should().Throw<MusterException>().WithMessage("*\"nosuchcall\"*");
        FluentActions.Invoking(() => Isolation.Resolve(Nothing with { Seccomp = new SeccompChoice { Mode = "remove", Calls = ["nosuchcall"] } }, Kit.Template(), [], _ => { })).Should().Throw<MusterException>();
        Resolve("""os/linux/seccomp-remove-set {"set":["mkdir","arm_sync_file_range","@appc.io/empty"]}""").Seccomp.Calls.Should().HaveCount(3, "a call of another architecture exists");
        Resolve("""os/linux/seccomp-retain-set {"set":["read","nosuchcall"]}""").Seccomp.Calls.Should().HaveCount(2, "to allow what is not there is harmless");
    }

    [Fact]
    public void Lets_the_commands_options_win()
    {
        var asked = Nothing with { MemoryLimit = 5, CapabilitiesRetain = ["chown", "CAP_KILL"], CapabilitiesRemove = ["kill"], PidsLimit = 7 };
        var result = Isolation.Resolve(asked, Kit.Template("""resource/memory {"limit":"1G"}""", """os/linux/capabilities-retain-set {"set":[]}"""), [], _ => { });
        (result.MemoryLimit, result.PidsLimit).Should().Be((5, 7));
        result.Capabilities.Should().Equal("CAP_CHOWN");
    }
}
