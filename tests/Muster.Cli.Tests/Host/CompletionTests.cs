using Muster.TestKit;

namespace Muster.Cli.Tests.Host;

public sealed class CompletionTests
{
    private static readonly string Script = Captured.Muster("completion", "bash").Succeeded().Out;

    [Fact]
    public void Is_a_script_that_bash_takes() => ProgramRun.Of("/bin/bash", ["-n"], Script).Succeeded().Error.Should().BeEmpty();

    [Theory]
    [InlineData("muster ru", "run")]
    [InlineData("muster image li", "list")]
    [InlineData("muster run --priv", "--private-users")]
    [InlineData("muster image list --for", "--format=")]
    [InlineData("muster --root /x image li", "list")]
    [InlineData("muster --root = /x im", "images")]
    [InlineData("muster fetch --pull-policy = ne", "never")]
    [InlineData("muster image list --format =", "json")]
    [InlineData("muster image rm example.com/b", "example.com/box")]
    public void Completes_what_was_begun(string line, string word)
    {
        var words = line.Split(' ');
        var script = $"{Script}\nmuster() {{ [[ $* != *image?list* ]] || echo example.com/box; }}\ncompopt() {{ :; }}\ncd /\nCOMP_WORDS=({line})\nCOMP_CWORD={words.Length - 1}\n_muster\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n";
        ProgramRun.Of("/bin/bash", [], script).Succeeded().Out.Split('\n').Should().Contain(word);
    }

    [Fact]
    public void Offers_no_files_where_a_verb_is_missing()
    {
        var script = $"{Script}\nmuster() {{ :; }}\ncompopt() {{ :; }}\ncd /\nCOMP_WORDS=(muster image e)\nCOMP_CWORD=2\n_muster\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n";
        ProgramRun.Of("/bin/bash", [], script).Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().BeEquivalentTo("export", "extract");
    }

    [Theory]
    [InlineData("zsh", "#compdef muster")]
    [InlineData("fish", "complete -c muster")]
    public void Writes_for_other_shells(string shell, string part) => Captured.Muster("completion", shell).Succeeded().Out.Should().Contain(part);

    [Fact]
    public void Refuses_a_shell_it_does_not_know() => Captured.Muster("completion", "tcsh").Status.Should().Be(2);
}
