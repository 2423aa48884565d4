using System.Diagnostics;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Pods;

/// <summary>Limits of the disk, on a real block device: a file behind a loop device with ext4, on which the pods are.</summary>
public sealed class BlockLimitTests : IDisposable
{
    private const string Controllers = "/sys/fs/cgroup/cgroup.controllers";

    private readonly TestRoot _root = new();
    private readonly string _disk;
    private string? _loop;

    public BlockLimitTests()
    {
        _disk = Path.Combine(Path.GetTempPath(), "muster-disk-" + _root.Tag);
        using (var file = File.Create(_disk))
        {
            file.SetLength(256 << 20);
        }

        var made = ProgramRun.Of("losetup", ["--find", "--show", _disk]);
        _loop = made.Status == 0 ? made.Out.Trim() : null;
        if (_loop is not null)
        {
            ProgramRun.Of("mkfs.ext4", ["-q", "-F", _loop]).Succeeded();
            Directory.CreateDirectory(_root.Folder + "/var");
            ProgramRun.Of("mount", [_loop, _root.Folder + "/var"]).Succeeded();
        }
    }

    public void Dispose()
    {
        foreach (var pod in _root.Muster("list", "-q", "--all").Out.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            _ = _root.Muster("rm", "--force", pod);
        }

        if (_loop is not null)
        {
            // What clears the pod away does so a moment after its end.
            TestRoot.Until(() => ProgramRun.Of("umount", [_root.Folder + "/var"]).Status == 0, "nothing uses the disk");
            ProgramRun.Of("losetup", ["--detach", _loop]).Succeeded();
        }

        File.Delete(_disk);
        _root.Dispose();
    }

    [Theory]
    [InlineData("resource/block-bandwidth", "1M", "dd if=/dev/zero of=/f bs=256k count=12 oflag=direct,append conv=notrunc")]
    [InlineData("resource/block-bandwidth", "1M", "dd if=/big of=/dev/null bs=256k count=12 iflag=direct")]
    [InlineData("resource/block-iops", "4", "dd if=/dev/zero of=/f bs=4k count=12 oflag=direct conv=notrunc")]
    public void An_app_reads_and_writes_no_faster_than_its_limit(string isolator, string limit, string work)
    {
        Assert.SkipWhen(_loop is null, "this kernel gives no loop device");
        Assert.SkipUnless(Directory.Exists("/sys/fs/cgroup/blkio") || (File.Exists(Controllers) && File.ReadAllText(Controllers).Contains("io", StringComparison.Ordinal)), "no cgroup controller for block I/O is mounted");
        var image = Image(isolator, limit);
        var limited = Stopwatch.StartNew();
        _root.Muster("run", "--rm", "--net=none", image, "--", "-c", work).Succeeded();
        limited.Stop();

        // 3 MiB at 1 MB/s and 12 operations at 4/s take three seconds whatever the machine does; the kernel may give the first
        // tenths away. Being slow cannot make this fail.
        limited.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(2));
    }

    /// <summary>An image whose app has the isolator, with a file that is large enough to be read from the disk.</summary>
    private string Image(string isolator, string limit)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.Work, "aci")).FullName;
        Directory.CreateDirectory(folder + "/rootfs/bin");
        File.Copy("/usr/bin/busybox", folder + "/rootfs/bin/busybox");
        File.CreateSymbolicLink(folder + "/rootfs/bin/sh", "busybox");
        File.CreateSymbolicLink(folder + "/rootfs/bin/dd", "busybox");
        using (var big = File.Create(folder + "/rootfs/big"))
        {
            var block = new byte[1 << 20];
            for (var i = 0; i < 4; i++)
            {
                Random.Shared.NextBytes(block);
                big.Write(block);
            }
        }

        var architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : "amd64";
        File.WriteAllText(folder + "/manifest", """
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/disk","labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"},{"name":"arch","value":"ARCH"}],
             "app":{"exec":["/bin/sh"],"user":"0","group":"0","isolators":[{"name":"NAME","value":{"default":true,"limit":"LIMIT"}}]}}
            """.Replace("ARCH", architecture).Replace("NAME", isolator).Replace("LIMIT", limit));
        _root.Muster("image", "build", folder).Succeeded();
        return "example.com/disk";
    }
}
