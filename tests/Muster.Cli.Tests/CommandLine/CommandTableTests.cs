using Muster.Cli.CommandLine;

namespace Muster.Cli.Tests.CommandLine;

/// <summary>What every verb owes its user.</summary>
public sealed class CommandTableTests
{
    public static TheoryData<string> Names => new(CommandTable.All.Select(c => c.Name));

    private static Command Find(string name) => CommandTable.All.First(c => c.Name == name);

    [Theory]
    [MemberData(nameof(Names))]
    public void Has_a_summary_and_an_example_of_itself(string name)
    {
        var command = Find(name);
        command.Summary.Should().NotBeNullOrWhiteSpace().And.NotEndWith(".").And.NotContain("\n");
        char.IsUpper(command.Summary[0]).Should().BeTrue();
        var lines = command.Example.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToList();
        lines.Should().NotBeEmpty();
        var calls = command.Aliases.Prepend(command.Words).Select(w => "muster " + string.Join(' ', w));
        lines.Should().Contain(l => calls.Any(c => (l + " ").Contains(c + " ")), $"one line of the example of \"{name}\" calls it");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Has_a_help_text_that_shows_its_options_and_its_example(string name)
    {
        var command = Find(name);
        var help = HelpText.For(command);
        help.Should().StartWith(command.Summary + ".\n").And.Contain($"Usage: muster {name}").And.Contain("\nExample:\n").And.EndWith("\n");
        help.Should().NotContain("\t").And.NotContain("\r");
        foreach (var option in command.Options)
        {
            help.Should().Contain("--" + option.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Has_options_that_are_told_apart(string name)
    {
        var command = Find(name);
        var own = command.Options.ToList();
        own.Select(o => o.Name).Should().OnlyHaveUniqueItems();
        own.Where(o => o.Short is not null).Select(o => o.Short).Should().OnlyHaveUniqueItems();
        own.Should().OnlyContain(o => o.Name.Length > 1 && o.Help.Length > 0 && !o.Help.EndsWith('.'));
        own.Where(o => o.Default is not null && o.Choices.Count > 0).Should().OnlyContain(o => o.Choices.Contains(o.Default!));
    }

    [Fact]
    public void Has_unique_words()
    {
        var words = CommandTable.All.SelectMany(c => c.Aliases.Prepend(c.Words)).Select(w => string.Join(' ', w)).ToList();
        words.Should().OnlyHaveUniqueItems().And.OnlyContain(w => w.Length > 0);
    }

    [Fact]
    public void Lists_every_shown_verb_in_the_overview()
    {
        var overview = HelpText.Overview(CommandTable.Sections);
        foreach (var command in CommandTable.All)
        {
            overview.Contains($"  {command.Name} ", StringComparison.Ordinal).Should().Be(!command.Hidden, command.Name);
        }
    }
}
