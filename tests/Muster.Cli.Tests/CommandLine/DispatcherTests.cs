using Muster.Cli.CommandLine;

namespace Muster.Cli.Tests.CommandLine;

/// <summary>What a user sees of a call that is wrong or that asks for help.</summary>
public sealed class DispatcherTests
{
    [Theory]
    [InlineData("\"rnu\" is not a command of muster, did you mean \"run\"?", "rnu")]
    [InlineData("\"muster image\" needs one of", "image")]
    [InlineData("\"muster list\" has no option --nope", "list", "--nope")]
    [InlineData("Too few arguments", "attach")]
    [InlineData("is one too many", "completion", "bash", "zsh")]
    [InlineData("--filter chooses rows of a list", "version", "--filter=a=b")]
    [InlineData("--root names no folder", "--root=", "version")]
    [InlineData("is not a registry", "login", "http://example.com")]
    [InlineData("--format=xml is not one of table, json", "list", "--format=xml")]
    public void Refuses_wrong_words_with_status_2(string sentence, params string[] words)
    {
        var run = Captured.Muster(words);
        run.Status.Should().Be(2);
        run.Out.Should().BeEmpty();
        run.Error.Should().StartWith("muster: ").And.Contain(sentence);
        run.Error.TrimEnd('\n').Should().NotContain("\n");
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("help")]
    [InlineData("run", "--help")]
    [InlineData("help", "image", "list")]
    [InlineData("image", "--help")]
    [InlineData("help", "network")]
    [InlineData("-h", "run")]
    [InlineData("--version")]
    public void Helps_on_standard_output_with_status_0(params string[] words)
    {
        var run = Captured.Muster(words).Succeeded();
        run.Out.Should().NotBeEmpty();
        run.Error.Should().BeEmpty();
    }

    [Fact]
    public async Task Ends_with_its_own_status_and_one_sentence_where_a_verb_fails_as_nobody_foresaw()
    {
        var fault = new InvalidOperationException("Sequence contains no elements.\nAnd more.");
        var verb = new Command { Words = ["fail"], Summary = "Fail", Example = "muster fail", Run = (_, _) => throw fault };
        using var terminal = new Terminal();
        (await new Dispatcher([new CommandSection("Faults", [verb])], terminal).RunAsync(["fail"], TestContext.Current.CancellationToken)).Should().Be(254);
        SystemFault.Unforeseen(fault).Should().Be("This is a fault of Muster's own (InvalidOperationException: Sequence contains no elements): do it again with --debug, and report what that prints");
    }

    [Fact]
    public void Lets_no_control_character_of_a_sentence_reach_the_terminal() =>
        Captured.Muster("x\e[31m\u009b\u202ey").Error.Should().StartWith("muster: \"x?[31m??y\" is not a command");

    [Fact]
    public void Shows_the_overview_as_an_error_without_words()
    {
        var run = Captured.Muster();
        (run.Status, run.Out).Should().Be((2, ""));
        run.Error.Should().Contain("Usage: muster COMMAND");
    }

    [Theory]
    [InlineData("list --nope 2>/dev/full", 2)]
    [InlineData("list --nope 2>&-", 2)]
    [InlineData("status --root ROOT nosuch 2>/dev/full", 254)]
    [InlineData("--debug status --root ROOT nosuch 2>/dev/full", 254)]
    [InlineData("2>/dev/full", 2)]
    public void Gives_its_status_though_standard_error_takes_nothing(string words, int status)
    {
        var root = Directory.CreateTempSubdirectory().FullName;
        Captured.Shell(words.Replace("ROOT", root, StringComparison.Ordinal)).Status.Should().Be(status);
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void Tells_that_results_were_lost_on_a_full_disk()
    {
        var run = Captured.Shell("help >/dev/full");
        run.Status.Should().Be(254);
        run.Error.Should().StartWith("muster: Standard output takes no more").And.EndWith("elsewhere\n");
    }
}
