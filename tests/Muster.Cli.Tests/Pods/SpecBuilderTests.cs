using Muster.Cli.Commands.Pods;
using Muster.Core;
using Muster.Core.Configuration;
using Muster.Images;

namespace Muster.Cli.Tests.Pods;

public sealed class SpecBuilderTests
{
    [Fact]
    public void Splits_a_user_from_his_group_as_OCI_writes_them()
    {
        SpecBuilder.UserWords("1000:2000", null).Should().Be(("1000", "2000"));
        SpecBuilder.UserWords("web", "extra").Should().Be(("web", "extra"));
        SpecBuilder.UserWords(null, "extra").Should().Be((null, "extra"));
        SpecBuilder.UserWords("/etc/a:b", null).Should().Be(("/etc/a:b", null), "App Container takes the owner of a file");
        foreach (var (user, group) in new (string, string?)[] { (":5", null), ("5:", null), ("5:6", "7") })
        {
            FluentActions.Invoking(() => SpecBuilder.UserWords(user, group)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Usage);
        }
    }

    [Theory]
    [InlineData("--seccomp is given twice", "IMAGE", "--seccomp=mode=remove,mkdir", "--seccomp=mode=remove,rmdir")]
    [InlineData("--seccomp is given twice", "--seccomp=mode=remove,mkdir", "--seccomp=mode=remove,rmdir", "IMAGE")]
    [InlineData("leave the second out", "IMAGE", "--caps-retain=CAP_KILL", "--caps-remove=CAP_KILL")]
    [InlineData("leave the second out", "--caps-retain=", "IMAGE", "--caps-remove=CAP_KILL")]
    [InlineData("--seccomp does not hold", "--insecure-options=seccomp", "IMAGE", "--seccomp=mode=remove,mkdir")]
    [InlineData("--caps-retain does not hold", "--insecure-options=capabilities", "IMAGE", "--caps-retain=")]
    public void Refuses_restrictions_that_would_not_hold(string sentence, params string[] words) =>
        FluentActions.Invoking(() => Build(words)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Usage && e.Message.Contains(sentence));

    [Theory]
    [InlineData("--dns-search=a\nnameserver 192.0.2.6")]
    [InlineData("--dns-domain=a\nnameserver 192.0.2.6")]
    [InlineData("--dns-opt=a b")]
    [InlineData("--dns-opt=")]
    public void Refuses_a_word_that_would_be_more_than_one_in_resolv_conf(string word) =>
        FluentActions.Invoking(() => Build(word, "IMAGE")).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Usage && e.Message.Contains("resolv.conf"));

    [Fact]
    public void Tells_no_capability_from_no_word_on_capabilities()
    {
        Build("IMAGE").Apps[0].CapabilitiesRetain.Should().BeNull();
        Build("IMAGE", "--caps-retain=").Apps[0].CapabilitiesRetain.Should().BeEmpty();
    }

    private static Containers.Pods.PodSpec Build(params string[] words)
    {
        var root = Directory.CreateTempSubdirectory("muster-spec-").FullName;
        try
        {
            var grammar = new ImageGrammar(RunCommand.Run);
            grammar.Parse(words);
            var image = new StoredImage(
                new ImageRecord { Id = "sha256-0", Kind = ImageKind.Oci, Name = "image", Trees = [], Blobs = [], App = new AppTemplate(), ImportedAt = default, Manifest = default },
                new ReferenceRecord { Reference = "IMAGE", Image = "sha256-0", Trust = new TrustRecord { Verdict = TrustVerdict.Built }, FetchedAt = default });
            return new SpecBuilder(grammar.Pod, foreground: true, Settings.Defaults).Build(grammar.Images, [image], new ImageStore(new MusterRoot(root), TimeProvider.System));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
