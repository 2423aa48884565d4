using CsCheck;
using Muster.Cli.Commands.Pods;
using Muster.Fuzz;

namespace Muster.Cli.Tests.Pods;

/// <summary>rkt's grammar of images.</summary>
public sealed class ImageGrammarTests
{
    private static ImageGrammar Parse(params string[] words)
    {
        var grammar = new ImageGrammar(RunCommand.Run);
        grammar.Parse(words);
        return grammar;
    }

    [Fact]
    public void Gives_options_before_the_first_image_to_the_pod()
    {
        var grammar = Parse("--detach", "--name=pod", "--memory=1G", "-p", "8080:80", "a");
        grammar.Pod.Keys.Should().BeEquivalentTo("detach", "name", "memory", "publish");
        grammar.Images.Should().ContainSingle().Which.Values.Should().BeEmpty();
        grammar.Images[0].Arguments.Should().BeNull();
    }

    [Fact]
    public void Gives_an_apps_options_to_the_image_before_them_and_the_pods_to_the_pod()
    {
        var grammar = Parse("--name=pod", "a", "--name=first", "--memory=1G", "--net=none", "b", "--name", "second", "-e", "A=1", "-e", "B=2");
        grammar.Pod["name"].Should().Equal("pod");
        grammar.Pod["net"].Should().Equal("none");
        grammar.Images.Select(i => i.Reference).Should().Equal("a", "b");
        grammar.Images[0].Values["name"].Should().Equal("first");
        grammar.Images[0].Values["memory"].Should().Equal("1G");
        grammar.Images[1].Values["name"].Should().Equal("second");
        grammar.Images[1].Values["environment"].Should().Equal("A=1", "B=2");
        grammar.Images[1].Values.Should().NotContainKey("memory");
    }

    [Fact]
    public void Ends_an_images_arguments_at_three_dashes()
    {
        var grammar = Parse("a", "--", "sh", "-c", "--", "--memory=1G", "---", "b", "--memory=2G", "---", "c", "--");
        grammar.Images.Select(i => i.Reference).Should().Equal("a", "b", "c");
        grammar.Images[0].Arguments.Should().Equal("sh", "-c", "--", "--memory=1G");
        grammar.Images[1].Arguments.Should().BeNull("it was given none");
        grammar.Images[1].Values["memory"].Should().Equal("2G");
        grammar.Images[2].Arguments.Should().BeEmpty("-- was said: the image's own arguments are replaced by none");
    }

    [Theory]
    [InlineData("--")]
    [InlineData("--detach", "--", "echo")]
    [InlineData("a", "--nope")]
    [InlineData("a", "--memory")]
    [InlineData("a", "--restart=sometimes")]
    public void Refuses_bad_words_in_one_sentence(params string[] words) => Refusals.Of(() => Parse(words));

    [Fact]
    public void Hands_arguments_on_as_they_are() => Gen.String[Gen.Char["-a= \n"], 0, 5].Where(w => w != "---").Array[0, 8].Sample(words =>
        Parse(["image", "--", .. words]).Images[0].Arguments!.SequenceEqual(words));

    [Fact]
    public void Survives_any_words()
    {
        foreach (var input in Mutation.Of(CommandWordsTarget.Seeds, seed: 1, count: 2000))
        {
            CommandWordsTarget.Run(input);
        }
    }
}
