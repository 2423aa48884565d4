using System.Text;
using CsCheck;
using Muster.Core.Configuration;
using Muster.Fuzz;

namespace Muster.Core.Tests.Configuration;

public sealed class SettingsTests
{
    private static Settings Parse(string text) => Settings.Parse(text, "muster.yaml");

    [Fact]
    public void Reads_sections_comments_and_quotes()
    {
        var settings = Parse("---\n# pods\npods:\n  runtime: runc # slower\n  network: \"blue\"\n\ngc:\n\tgrace-period: '1h'\r\n");
        settings["pods.runtime"].Should().Be("runc");
        settings["pods.network"].Should().Be("blue");
        settings["gc.grace-period"].Should().Be("1h");
        settings.IsSet("gc.expire-prepared").Should().BeFalse();
        settings["gc.expire-prepared"].Should().Be("24h");
    }

    [Fact]
    public void Has_valid_defaults_and_a_meaning_for_every_key()
    {
        foreach (var known in Settings.Known)
        {
            known.IsValid(known.Default).Should().BeTrue(known.Key);
            known.Meaning.Should().NotBeNullOrWhiteSpace();
            Settings.Defaults[known.Key].Should().Be(known.Default);
        }

        Settings.Known.Select(k => k.Key).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void Tells_everything_that_is_wrong_at_once() => FluentActions
        .Invoking(() => Parse("pods:\n  runtim: crun\n  pids: many\n  network: a\n  network: b\nnonsense\nlist:\n  - a: b\n"))
        .Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid)
        .Which.Message.Should().ContainAll("muster.yaml", "no key pods.runtim", "\"many\"", "given twice", "line 6", "line 8");

    [Theory]
    [InlineData("pods: x\n")]
    [InlineData("  runtime: crun\n")]
    [InlineData("pods:\n  pids: 0\n")]
    [InlineData("pods:\n  pids: 4194305\n")]
    [InlineData("pods:\n  stop-timeout: soon\n")]
    [InlineData("pods:\n  log-max-size: big\n")]
    [InlineData("pods:\n  log-max-files: -1\n")]
    [InlineData("pods:\n  network: Blue_\n")]
    [InlineData("pods:\n  runtime:crun\n")]
    [InlineData("{pods: {runtime: crun}}\n")]
    [InlineData("pods.runtime: crun\n")]
    public void Refuses_what_would_be_without_effect(string text) =>
        FluentActions.Invoking(() => Parse(text)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid);

    [Fact]
    public void Reads_back_any_values_written_as_documented()
    {
        var values = Gen.Select(Gen.Int[1, 4_194_304], Gen.Int[0, 1000], Gen.String[Gen.Char["abz09"], 1, 20], Gen.Bool);
        values.Sample((pids, files, network, quoted) =>
        {
            var settings = Parse($"pods:\n  pids: {pids}\n  log-max-files: {files}   # kept\n  network: {(quoted ? $"'{network}'" : network)}\n");
            return settings["pods.pids"] == $"{pids}" && settings["pods.log-max-files"] == $"{files}" && settings["pods.network"] == network;
        });
    }

    [Fact]
    public void Survives_any_text()
    {
        SettingsTarget.Seeds.Should().NotBeEmpty();
        foreach (var input in Mutation.Of(SettingsTarget.Seeds, seed: 1, count: 2000))
        {
            SettingsTarget.Run(input);
        }

        Gen.String[Gen.Char["pods:gc.runtime \t\n\r#\"'-0"], 0, 60].Sample(text => SettingsTarget.Run(Encoding.UTF8.GetBytes(text)));
    }
}
