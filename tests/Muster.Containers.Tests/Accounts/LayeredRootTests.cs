using System.Text;
using Muster.Containers.Accounts;
using Muster.Core;
using Muster.TestKit;

namespace Muster.Containers.Tests.Accounts;

/// <summary>What the reader sees of stacked layers is what the kernel shows in a mounted overlay of them.</summary>
public sealed class LayeredRootTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-layers-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private LayeredRoot Root => new([Layer("top"), Layer("middle"), Layer("bottom")]);

    private string Layer(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private void Script(string script) => ProgramRun.Of("/bin/sh", ["-e"], script, folder: _folder).Succeeded();

    /// <summary>What the kernel shows of each path below a mounted overlay: owner and content, or a dash.</summary>
    private List<string> AsMounted(IReadOnlyList<string> paths)
    {
        var look = new StringBuilder();
        foreach (var path in paths)
        {
            look.Append($"if [ -f '{path}' ]; then echo \"f $(/bin/busybox stat -L -c %u:%g '{path}') $(/bin/busybox cat '{path}')\"; elif [ -d '{path}' ]; then echo \"d $(/bin/busybox stat -L -c %u:%g '{path}')\"; else echo -; fi\n");
        }

        File.WriteAllText(Path.Combine(_folder, "look"), look.ToString());
        var mount = $"mkdir -p mnt && mount -t overlay -o ro,lowerdir=top:middle:bottom overlay mnt && exec chroot mnt /bin/busybox sh < look";
        return [.. ProgramRun.Of("/usr/bin/unshare", ["--mount", "--propagation", "private", "/bin/sh", "-ec", mount], folder: _folder).Succeeded().Out.TrimEnd('\n').Split('\n')];
    }

    private List<string> AsRead(IReadOnlyList<string> paths) => [.. paths.Select(path =>
    {
        if (Root.OwnerOf(path) is not { } owner)
        {
            Root.Exists(path).Should().BeFalse();
            return "-";
        }

        return Root.IsFolder(path) ? $"d {owner.Uid}:{owner.Gid}" : $"f {owner.Uid}:{owner.Gid} {Root.ReadText(path, 1000)!.TrimEnd('\n')}";
    })];

    [Fact]
    public void Sees_what_the_kernel_shows()
    {
        Script("""
            mkdir -p top middle bottom bottom/bin bottom/etc middle/etc top/etc
            cp /usr/bin/busybox bottom/bin/busybox
            echo low > bottom/etc/passwd; echo high > top/etc/passwd; chown 5:6 top/etc/passwd
            echo group > bottom/etc/group; mknod middle/etc/group c 0 0
            echo again > bottom/etc/again; mknod middle/etc/again c 0 0; echo back > top/etc/again
            mkdir -p bottom/gone/deep; echo x > bottom/gone/deep/file; mknod top/gone c 0 0
            mkdir -p bottom/opaque/sub middle/opaque/sub top/opaque; echo a > bottom/opaque/a; echo b > middle/opaque/b; echo c > top/opaque/c
            echo s > bottom/opaque/sub/s; setfattr -n trusted.overlay.opaque -v y middle/opaque || python3 -c 'import os; os.setxattr("middle/opaque", "trusted.overlay.opaque", b"y")'
            mkdir -p bottom/data; echo below > bottom/data/file; echo hides > middle/data
            mkdir -p bottom/file-then-folder-parent; echo file > bottom/shape; mkdir middle/shape; echo in > middle/shape/inside
            ln -s /etc/passwd top/absolute; ln -s etc/passwd bottom/relative; ln -s ../../../etc/passwd top/etc/escaping; ln -s /nowhere top/dangling
            ln -s loop-b top/loop-a; ln -s loop-a bottom/loop-b; ln -s self middle/self
            ln -s etc bottom/folder; ln -s . middle/here; ln -s /folder/passwd top/chain; ln -s absolute bottom/chain2
            ln -s etc top/replaced; mkdir -p bottom/replaced; echo hidden > bottom/replaced/own
            """);
        string[] paths =
        [
            "/", "/etc", "/etc/passwd", "/etc/group", "/etc/again", "/gone", "/gone/deep/file", "/opaque", "/opaque/a", "/opaque/b", "/opaque/c", "/opaque/sub", "/opaque/sub/s",
            "/data", "/data/file", "/shape", "/shape/inside", "/absolute", "/relative", "/etc/escaping", "/dangling", "/loop-a", "/loop-b", "/self", "/folder", "/folder/passwd",
            "/folder/../etc/passwd", "/here/here/etc/passwd", "/chain", "/chain2", "/replaced/own", "/replaced/passwd", "/../../etc/passwd", "/missing", "/etc/missing", "/etc/./passwd",
        ];
        AsRead(paths).Zip(paths).Should().Equal(AsMounted(paths).Zip(paths));
    }

    [Fact]
    public void Reads_no_more_of_a_file_than_it_was_told()
    {
        Script("mkdir -p top; echo 1234567890 > top/file; mkfifo top/pipe");
        Root.ReadText("/file", 11).Should().Be("1234567890\n");
        FluentActions.Invoking(() => Root.ReadText("/file", 10)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid);
        Root.ReadText("/pipe", 10).Should().BeNull();
        Root.ReadText("/", 10).Should().BeNull();
    }
}
