using Muster.Cli.CommandLine;

namespace Muster.Cli.Tests.CommandLine;

public sealed class WordCompletionTests
{
    private const string Uuid = "b42985f5-3192-4686-923d-021c71efd3dc";

    private static (IReadOnlyList<string> Words, string? FilesBehind) Complete(string line)
    {
        var words = line.Split(' ')[1..];
        var completion = new WordCompletion([.. CommandTable.All.Where(c => !c.Hidden)], (kind, root) => kind switch
        {
            Named.Pod => [new("web", "running") { Otherwise = Uuid }, new(root == "/x" ? "of-x" : "of-mine", null)],
            Named.Image => [new("example.com/box:1", null)],
            Named.Network => [new("back", "managed"), new("default", "managed")],
            _ => [new("0123abcd", null)],
        });
        return ([.. completion.Complete(words[..^1], words[^1]).Select(c => c.Word).Where(w => w.StartsWith(words[^1], StringComparison.Ordinal))], completion.FilesBehind);
    }

    [Theory]
    [InlineData("muster imag", "image images")]
    [InlineData("muster p", "port pause prepare ps pull push pmda")]
    [InlineData("muster image l", "list")]
    [InlineData("muster image e", "export extract")]
    [InlineData("muster --root /x image li", "list")]
    [InlineData("muster --root=/x -q image li", "list")]
    [InlineData("muster help image rend", "render")]
    [InlineData("muster list --f", "--full --format= --filter=")]
    [InlineData("muster images --fi", "--fields= --filter=")]
    [InlineData("muster stop --fi", "")]
    [InlineData("muster run --priv", "--private-users")]
    [InlineData("muster status --wa", "--wait --wait-ready")]
    [InlineData("muster --quiet --form", "--format=")]
    [InlineData("muster image list --ro", "--root=")]
    public void Knows_verbs_and_options(string line, string words) => Complete(line).Words.Should().BeEquivalentTo(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("muster fetch --pull-policy=ne", "--pull-policy=new --pull-policy=never")]
    [InlineData("muster fetch --pull-policy ne", "new never")]
    [InlineData("muster --format ", "table json")]
    [InlineData("muster image list --order=", "--order=asc --order=desc")]
    [InlineData("muster run --restart=a", "--restart=always")]
    [InlineData("muster run --net=", "--net=none --net=host --net=back --net=default")]
    [InlineData("muster completion ", "bash zsh fish")]
    public void Knows_the_values_of_options(string line, string words) => Complete(line).Words.Should().BeEquivalentTo(words.Split(' '));

    [Theory]
    [InlineData("muster stop ", "web of-mine")]
    [InlineData("muster stop web ", "web of-mine")]
    [InlineData("muster stop -t 30s w", "web")]
    [InlineData("muster status b42", Uuid)]
    [InlineData("muster --root /x stop of", "of-x")]
    [InlineData("muster stop --root /x of", "of-x")]
    [InlineData("muster attach web ", "")]
    [InlineData("muster exec w", "web")]
    [InlineData("muster exec web l", "")]
    [InlineData("muster exec web --us", "")]
    [InlineData("muster cp w", "web:")]
    [InlineData("muster cp web:/etc/x w", "web:")]
    [InlineData("muster run ex", "example.com/box:1")]
    [InlineData("muster run example.com/box:1 --name=a -- -c ex", "")]
    [InlineData("muster run example.com/box:1 -- -c --- ex", "example.com/box:1")]
    [InlineData("muster run example.com/box:", "example.com/box:1")]
    [InlineData("muster rmi ex", "example.com/box:1")]
    [InlineData("muster network rm ba", "back")]
    [InlineData("muster network create ba", "")]
    [InlineData("muster trust rm 0", "0123abcd")]
    public void Knows_the_names_of_what_there_is(string line, string words) => Complete(line).Words.Should().BeEquivalentTo(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("muster run ./a", "")]
    [InlineData("muster fetch oci:./a", "oci:")]
    [InlineData("muster image build ", "")]
    [InlineData("muster image extract example.com/box:1 ", "")]
    [InlineData("muster run --pod-manifest=", "--pod-manifest=")]
    [InlineData("muster stop --uuid-file ", "")]
    [InlineData("muster cp ", "")]
    [InlineData("muster cp web:/e", null)]
    [InlineData("muster run --exec=/b", null)]
    [InlineData("muster stop ", null)]
    [InlineData("muster im", null)]
    [InlineData("muster image ", null)]
    [InlineData("muster trust ./k", "")]
    [InlineData("muster login ", null)]
    [InlineData("muster exec web ", null)]
    public void Knows_where_files_may_stand(string line, string? behind) => Complete(line).FilesBehind.Should().Be(behind);

    [Fact]
    public void Offers_something_at_each_place_that_is_not_free_text()
    {
        string[] free = ["NAME", "NAME…", "[NAME…]", "METRIC", "[METRIC…]", "DOMAIN", "HOST[:PORT][/PATH]"];
        foreach (var command in CommandTable.All.Where(c => !c.Hidden))
        {
            foreach (var (place, i) in WordCompletion.Places(command).Select((p, i) => (p, i)).Where(p => !free.Contains(p.p)))
            {
                var (words, files) = Complete($"muster {command.Name} {string.Concat(Enumerable.Repeat("x ", i))}");
                (words.Count > 0 || files is not null).Should().BeTrue($"{command.Name} takes {place}");
            }
        }
    }
}
