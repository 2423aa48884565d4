using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Tests.Archives;

public sealed class TreeExtractorTests : IDisposable
{
    private readonly ImageRoot _root = new();

    private string Tree => _root.Path1("tree");

    [Theory]
    [InlineData("../evil")]
    [InlineData("a/../../evil")]
    [InlineData("..")]
    [InlineData("/..")]
    [InlineData("a/..")]
    public void Refuses_names_with_two_dots(string name) => Refused(ErrorKind.Invalid, TestTar.File(name));

    [Fact]
    public void Takes_absolute_names_as_names_below_the_root()
    {
        TestTar.Extract(TestTar.Make(TestTar.File("/muster-test-absolute/file")), Tree);
        File.Exists(Tree + "/muster-test-absolute/file").Should().BeTrue();
        Directory.Exists("/muster-test-absolute").Should().BeFalse();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tmp")]
    [InlineData("../..")]
    [InlineData("../../../../../../../tmp")]
    public void Keeps_what_goes_through_a_link_inside_the_root(string target)
    {
        var name = "muster-" + Guid.NewGuid().ToString("N");
        TestTar.Extract(TestTar.Make(TestTar.Folder("tmp"), TestTar.Link("link", target), TestTar.File("link/" + name)), Tree);
        Directory.EnumerateFiles(Tree, name, SearchOption.AllDirectories).Should().NotBeEmpty();
        File.Exists("/tmp/" + name).Should().BeFalse();
        File.Exists("/" + name).Should().BeFalse();
        File.Exists(_root.Path1(name)).Should().BeFalse();
    }

    [Fact]
    public void Refuses_more_directories_than_memory_is_allowed_for()
    {
        Directory.CreateDirectory(Tree);
        var limits = TarLimits.Default with { MaxFolderBytes = 20_000 };
        using var tree = new TreeExtractor(Tree, new ExtractionRules(Whiteouts: false, RefuseDuplicates: false), limits);
        void Make(int from, int to, Func<int, TarEntry> entry)
        {
            for (var i = from; i < to; i++)
            {
                var one = entry(i);
                tree.Extract(one, one.Name, [], null);
            }
        }

        // The same one again, and one that is replaced, cost nothing more.
        Make(0, 1000, _ => TestTar.Folder("same"));
        Make(0, 500, i => i % 2 == 0 ? TestTar.Folder("turns") : TestTar.Link("turns", "x"));
        Make(0, 100, i => TestTar.Folder("d" + i));
        ((Action)(() => Make(100, 300, i => TestTar.Folder("d" + i)))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }

    [Fact]
    public void Replaces_a_link_and_does_not_follow_it()
    {
        _root.Write("victim", "safe");
        TestTar.Extract(TestTar.Make((TestTar.Link("f", _root.Path1("victim")), []), (TestTar.File("f", size: 4), "evil"u8.ToArray())), Tree);
        File.ReadAllText(_root.Path1("victim")).Should().Be("safe");
        File.ReadAllText(Tree + "/f").Should().Be("evil");
    }

    [Fact]
    public void Sets_no_mode_and_owner_through_a_link_at_the_end()
    {
        Directory.CreateDirectory(_root.Path1("victim"));
        var before = FileStatus.Find(_root.Path1("victim"))!.Value;
        TestTar.Extract(TestTar.Make(TestTar.Folder("d", 0x1ff), TestTar.Link("d", _root.Path1("victim")), TestTar.Folder("e", 0x1ff)), Tree);
        FileStatus.Find(_root.Path1("victim"))!.Value.Mode.Should().Be(before.Mode);
        FileStatus.Find(Tree + "/d")!.Value.Type.Should().Be(FileStatus.Symlink);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("missing")]
    [InlineData("folder")]
    [InlineData("h")]
    [InlineData("")]
    public void Refuses_hard_links_to_what_the_archive_does_not_have(string target) =>
        Refused(ErrorKind.Invalid, TestTar.Folder("folder"), TestTar.Link("h", target, hard: true));

    [Fact]
    public void Links_hard_to_a_link_itself()
    {
        TestTar.Extract(TestTar.Make(TestTar.Link("s", "/etc/passwd"), TestTar.Link("h", "s", hard: true)), Tree);
        FileStatus.Find(Tree + "/h")!.Value.Type.Should().Be(FileStatus.Symlink);
    }

    [Fact]
    public void Refuses_files_below_a_file() => Refused(ErrorKind.Invalid, TestTar.File("a"), TestTar.File("a/b"));

    [Fact]
    public void Refuses_a_whiteout_device() => Refused(ErrorKind.Invalid, TestTar.Device("w", 0, 0));

    [Fact]
    public void Refuses_the_attributes_of_overlayfs() => Refused(ErrorKind.Invalid, new TarEntry
    {
        Type = TarEntryType.Directory,
        Name = "d"u8.ToArray(),
        Mode = 0x1ed,
        Xattrs = [new("trusted.overlay.redirect"u8.ToArray(), "/etc"u8.ToArray())],
    });

    [Fact]
    public void Says_which_file_has_more_names_than_the_file_system_allows()
    {
        // ext4 takes 65,000; where there is no such limit all of them come.
        var archive = TestTar.Make([TestTar.File("a"), .. Enumerable.Range(0, 70_000).Select(i => TestTar.Link("l" + i, "a", hard: true))]);
        try
        {
            TestTar.Extract(archive, Tree);
        }
        catch (MusterException e)
        {
            e.Kind.Should().Be(ErrorKind.Exhausted);
            e.Message.Should().Contain("\"l64999\"").And.Contain("than this file system allows");
        }
    }

    [Fact]
    public void Refuses_depth_and_length_beyond_the_limits()
    {
        Refused(ErrorKind.Invalid, TestTar.File(string.Join('/', Enumerable.Repeat("d", 300))));
        Refused(ErrorKind.Invalid, TestTar.File(new string('n', 256)));
        Refused(ErrorKind.Invalid, TestTar.File(string.Join('/', Enumerable.Repeat(new string('n', 200), 30))));
    }

    [Fact]
    public void Refuses_a_duplicate_where_the_format_does()
    {
        Refused(ErrorKind.Invalid, refuseDuplicates: true, TestTar.File("a"), TestTar.File("a"));
        Refused(ErrorKind.Invalid, refuseDuplicates: true, TestTar.Folder("d"), TestTar.Folder("./d/"));
    }

    [Fact]
    public void Gives_files_below_a_setgid_directory_their_own_group()
    {
        TestTar.Extract(TestTar.Make(TestTar.Folder("d", 0x5ed, gid: 50), TestTar.File("d/f"), TestTar.Folder("d/sub")), Tree);
        FileStatus.Find(Tree + "/d")!.Value.Should().Match<FileStatus>(s => s.Permissions == 0x5ed && s.Gid == 50 && s.ModifiedSeconds == 1_000_000_000);
        FileStatus.Find(Tree + "/d/f")!.Value.Gid.Should().Be(0);
        FileStatus.Find(Tree + "/d/sub")!.Value.Should().Match<FileStatus>(s => s.Gid == 0 && s.Permissions == 0x1ed);
    }

    [Fact]
    public void Keeps_setuid_after_the_owner_is_set()
    {
        TestTar.Extract(TestTar.Make(TestTar.File("su", 0x9ed, uid: 7, gid: 8)), Tree);
        FileStatus.Find(Tree + "/su")!.Value.Should().Match<FileStatus>(s => s.Permissions == 0x9ed && s.Uid == 7 && s.Gid == 8);
    }

    [Fact]
    public void Turns_whiteouts_into_overlayfs_marks()
    {
        TestTar.Extract(TestTar.Make(
            TestTar.File("gone/.wh.file"), TestTar.File("opaque/.wh..wh..opq"), TestTar.File(".wh..wh.plnk"),
            TestTar.Folder("again"), TestTar.File(".wh.again"), TestTar.File(".wh.later"), TestTar.Folder("later")), Tree, whiteouts: true);
        FileStatus.Find(Tree + "/gone/file")!.Value.IsWhiteout.Should().BeTrue();
        foreach (var folder in new[] { "opaque", "again", "later" })
        {
            using var root = DirectoryHandle.Open(Tree);
            ExtendedAttributes.List(root.Descriptor, Encoding.ASCII.GetBytes(folder)).Should().Contain(x => Encoding.ASCII.GetString(x.Key) == "trusted.overlay.opaque" && x.Value[0] == 'y', folder);
        }

        Directory.EnumerateFileSystemEntries(Tree).Select(Path.GetFileName).Should().BeEquivalentTo(["gone", "opaque", "again", "later"]);
    }

    [Theory]
    [InlineData(".wh.")]
    [InlineData(".wh...")]
    [InlineData(".wh..")]
    public void Refuses_whiteouts_of_no_name(string name) =>
        ((Action)(() => TestTar.Extract(TestTar.Make(TestTar.File("d/" + name)), Tree, whiteouts: true))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);

    [Fact]
    public void Replaces_a_directory_with_all_that_is_in_it()
    {
        TestTar.Extract(TestTar.Make(TestTar.Folder("d"), TestTar.File("d/e/f"), TestTar.File("d"), TestTar.File("g")), Tree);
        FileStatus.Find(Tree + "/d")!.Value.Type.Should().Be(FileStatus.Regular);
    }

    public void Dispose() => _root.Dispose();

    private void Refused(ErrorKind kind, params TarEntry[] entries) => Refused(kind, false, entries);

    private void Refused(ErrorKind kind, bool refuseDuplicates, params TarEntry[] entries) =>
        ((Action)(() => TestTar.Extract(TestTar.Make(entries), _root.Path1(Guid.NewGuid().ToString("N")), refuseDuplicates: refuseDuplicates))).Should().Throw<MusterException>().Which.Kind.Should().Be(kind);
}
