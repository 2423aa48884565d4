using Muster.TestKit;

namespace Muster.Cli.Tests.Host;

/// <summary>The scripts themselves; real shells that run them are in the conformance tests.</summary>
public sealed class CompletionTests
{
    [Fact]
    public void Is_a_script_that_bash_takes() => ProgramRun.Of("/bin/bash", ["-n"], Captured.Muster("completion", "bash").Succeeded().Out).Succeeded().Error.Should().BeEmpty();

    [Theory]
    [InlineData("bash", "complete -F _muster muster")]
    [InlineData("zsh", "#compdef muster\n")]
    [InlineData("fish", "complete -c muster")]
    public void Writes_for_each_shell(string shell, string part) => Captured.Muster("completion", shell).Succeeded().Out.Should().Contain(part).And.EndWith("\n").And.NotEndWith("\n\n");

    [Fact]
    public void Answers_what_the_scripts_ask()
    {
        Captured.Muster("internal-complete", "image", "li").Succeeded().Out.Should().Be("words\nlist\tList the images of the store\n");
        Captured.Muster("internal-complete", "image", "build", "").Succeeded().Out.Should().Be("files\t\n");
        Captured.Muster("internal-complete", "--root", "/nowhere/at/all", "stop", "").Succeeded().Should().Match<ProgramRun>(r => r.Out == "words\n" && r.Error.Length == 0);
        Directory.Exists("/nowhere").Should().BeFalse("to complete a word makes nothing");
    }

    [Fact]
    public void Refuses_a_shell_it_does_not_know() => Captured.Muster("completion", "tcsh").Status.Should().Be(2);
}
