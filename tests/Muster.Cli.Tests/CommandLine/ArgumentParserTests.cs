using CsCheck;
using Muster.Cli.CommandLine;
using Muster.Core;

namespace Muster.Cli.Tests.CommandLine;

public sealed class ArgumentParserTests
{
    private static readonly Command Sample = new()
    {
        Words = ["sample"],
        Summary = "A command",
        Example = "muster sample",
        Options =
        [
            new("all", "A switch") { Short = 'a' },
            new("size", "A value", "BYTES") { Short = 's' },
            new("env", "Values", "NAME=VALUE") { Short = 'e', Repeatable = true },
            new("wait", "An optional value", "TIME") { Short = 'w', BareValue = "10s" },
            new("policy", "A choice", "POLICY") { Choices = ["always", "never"] },
        ],
        Run = (_, _) => Task.FromResult(0),
    };

    private static (Dictionary<string, List<string>> Values, List<string> Arguments) Parse(params string[] words) => new ArgumentParser(Sample).Parse(words);

    [Fact]
    public void Reads_every_form_of_an_option()
    {
        foreach (var words in (string[][])[["--size=1"], ["--size", "1"], ["-s", "1"], ["-s1"], ["-s=1"]])
        {
            Parse(words).Values["size"].Should().Equal(["1"], string.Join(' ', words));
        }
    }

    [Fact]
    public void Reads_bundled_letters_of_which_the_last_has_a_value()
    {
        var (values, arguments) = Parse("-qas", "5", "x");
        values.Keys.Should().BeEquivalentTo("quiet", "all", "size");
        values["size"].Should().Equal("5");
        arguments.Should().Equal("x");
    }

    [Fact]
    public void Takes_values_that_look_like_options_or_hold_signs()
    {
        Parse("--size", "--all").Values["size"].Should().Equal("--all");
        Parse("-e", "A=b=c", "--env=D=").Values["env"].Should().Equal("A=b=c", "D=");
    }

    [Fact]
    public void Keeps_the_last_value_of_an_option_and_all_of_a_repeatable_one()
    {
        var (values, _) = Parse("--size=1", "--env=a=1", "--size=2", "--env=b=2");
        values["size"].Should().Equal("2");
        values["env"].Should().Equal("a=1", "b=2");
    }

    [Fact]
    public void Gives_an_optional_value_only_behind_a_sign()
    {
        var (values, arguments) = Parse("--wait", "5s");
        values["wait"].Should().Equal("10s");
        arguments.Should().Equal("5s");
        Parse("--wait=5s").Values["wait"].Should().Equal("5s");
        Parse("-w").Values["wait"].Should().Equal("10s");
    }

    [Fact]
    public void Ends_options_at_two_dashes()
    {
        var (values, arguments) = Parse("a", "--", "--all", "--", "-x");
        values.Should().BeEmpty();
        arguments.Should().Equal("a", "--all", "--", "-x");
    }

    [Fact]
    public void Leaves_the_words_behind_the_first_argument_to_the_program_that_is_entered()
    {
        var enter = new ArgumentParser(Sample with { StopAtFirstArgument = true, Arguments = (1, int.MaxValue) });
        var (values, arguments) = enter.Parse(["-a", "pod", "ls", "-l", "--size"]);
        values.Keys.Should().Equal("all");
        arguments.Should().Equal("pod", "ls", "-l", "--size");
    }

    [Fact]
    public void Switches_a_switch_off_again()
    {
        Parse("--all", "--all=false").Values.Should().BeEmpty();
        Parse("--all=true").Values.Should().ContainKey("all");
    }

    [Fact]
    public void Takes_a_single_dash_and_empty_words_as_arguments() => Parse("-", "").Arguments.Should().Equal("-", "");

    [Theory]
    [InlineData("--nope")]
    [InlineData("-z")]
    [InlineData("-az")]
    [InlineData("--all=maybe")]
    [InlineData("--size")]
    [InlineData("-s")]
    [InlineData("--policy=sometimes")]
    [InlineData("--=x")]
    [InlineData("---")]
    public void Refuses_bad_words_in_one_sentence(string word) => Refusals.Of(() => Parse(word));

    [Fact]
    public void Refuses_endless_words() => Refusals.Of(() => new ArgumentParser(Sample).Parse(Enumerable.Repeat("x", ArgumentParser.MaxArguments + 1).ToArray()));

    [Fact]
    public void Loses_no_word_that_is_no_option() => Gen.String[Gen.Char["ab= "], 0, 6].Array[0, 10].Sample(words =>
        Parse(words).Arguments.SequenceEqual(words) && Parse(["--", .. words]).Arguments.SequenceEqual(words));
}
