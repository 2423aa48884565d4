using CsCheck;

namespace Muster.Core.Tests;

public sealed class MusterRootTests
{
    [Fact]
    public void Places_the_system_root_where_the_hierarchy_standard_says()
    {
        var root = new MusterRoot(null);
        (root.Etc, root.Run, root.Var).Should().Be(("/etc/muster", "/run/muster", "/var/lib/muster"));
        (root.IsSystem, root.Tag, root.NftTable, root.Cgroup).Should().Be((true, "", "muster", "/muster"));
        root.Arguments.Should().BeEmpty();
    }

    [Fact]
    public void Keeps_everything_of_another_root_inside_it() => Gen.String[Gen.Char["abc/-"], 1, 30].Sample(name =>
    {
        var folder = "/" + name;
        var root = new MusterRoot(folder);
        new[] { root.Etc, root.Run, root.Var, root.Images, root.Pods, root.NetworkNamespaces }.Should().OnlyContain(p => p.StartsWith(folder.TrimEnd('/') + "/"));
        root.Tag.Should().MatchRegex("^[0-9a-f]{6}$");
        root.NftTable.Should().Be("muster_" + root.Tag);
        root.Cgroup.Should().Be("/muster-" + root.Tag);
        root.Arguments.Should().Equal("--root", folder);
    });

    [Fact]
    public void Tells_roots_apart_by_their_tags() => new MusterRoot("/srv/a").Tag.Should().NotBe(new MusterRoot("/srv/b").Tag).And.Be(new MusterRoot("/srv/a").Tag);

    [Fact]
    public void Names_links_that_the_kernel_takes()
    {
        var root = new MusterRoot("/srv/a");
        root.LinkName("br0000").Should().StartWith("mst" + root.Tag).And.HaveLength(15);
        FluentActions.Invoking(() => root.LinkName("toolong")).Should().Throw<ArgumentException>();
    }
}
