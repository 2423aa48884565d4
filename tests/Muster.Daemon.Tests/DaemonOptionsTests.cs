namespace Muster.Daemon.Tests;

public sealed class DaemonOptionsTests
{
    [Fact]
    public void Takes_an_address_for_the_clients_of_PCP()
    {
        DaemonOptions.Parse(["--listen-pcp", "127.0.0.1:4000"], out var refusal)!.ListenPcp.Should().Be("127.0.0.1:4000");
        refusal.Should().BeNull();
        DaemonOptions.Parse(["--listen-pcp=[::1]:4000"], out _)!.ListenPcp.Should().Be("[::1]:4000");
        DaemonOptions.Parse(["--listen-pcp=none"], out _)!.ListenPcp.Should().Be("none");
        DaemonOptions.Parse([], out _)!.ListenPcp.Should().BeNull();
    }

    [Theory]
    [InlineData("--listen-pcp=everywhere")]
    [InlineData("--listen-pcp=44321")]
    [InlineData("--listen-pcp=localhost:44321")]
    [InlineData("--listen-pcp")]
    [InlineData("--listen")]
    public void Refuses_what_is_no_address(string word)
    {
        DaemonOptions.Parse([word], out var refusal).Should().BeNull();
        refusal.Should().StartWith("musterd: ").And.NotContain("\n");
    }
}
