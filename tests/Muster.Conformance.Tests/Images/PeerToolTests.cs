using Muster.TestKit;

namespace Muster.Conformance.Tests.Images;

/// <summary>Images made by skopeo, umoci and podman run here; images of ours run there.</summary>
public sealed class PeerToolTests : IDisposable
{
    private readonly TestRoot _root = new();

    public PeerToolTests()
    {
        Shell("mkdir -p files/bin files/etc && cp /usr/bin/busybox files/bin/ && ln -s busybox files/bin/sh && echo root:x:0:0::/root:/bin/sh > files/etc/passwd");
    }

    // podman wants a store of its own, no systemd, and limits that need no CAP_SYS_RESOURCE.
    private string Podman => $"podman --root {_root.Work}/podman --runroot {_root.Work}/podman-run --cgroup-manager cgroupfs --events-backend none --storage-driver vfs";

    public void Dispose()
    {
        Shell($"[ ! -d podman ] || {Podman} rmi --all --force >/dev/null 2>&1; rm -rf podman podman-run");
        _root.Dispose();
    }

    [Fact]
    public void What_umoci_makes_and_skopeo_converts_runs()
    {
        Umoci("from umoci");
        Shell("skopeo copy -q oci:layout:1 docker-archive:docker.tar:x/app:1 && skopeo copy -q oci:layout:1 oci-archive:oci.tar:1 && skopeo copy -q --dest-compress-format zstd --dest-compress oci:layout:1 oci:zstd:1");
        foreach (var place in new[] { "oci:layout:1", "docker-archive:docker.tar", "oci-archive:oci.tar", "oci:zstd:1" })
        {
            Run(place).Succeeded().Out.Should().Be("from umoci\n", place);
        }
    }

    [Fact]
    public void What_podman_builds_runs()
    {
        File.WriteAllText(Path.Combine(_root.Work, "Containerfile"), "FROM scratch\nCOPY files /\nENV A=b\nWORKDIR /etc\nENTRYPOINT [\"/bin/sh\"]\nCMD [\"-c\",\"echo $A $PWD\"]\n");
        Shell($"{Podman} build -q --isolation chroot -t made:1 . && {Podman} save -q -o docker.tar made:1 && {Podman} save -q --format oci-archive -o oci.tar made:1");
        Run("docker-archive:docker.tar").Succeeded().Out.Should().Be("b /etc\n");
        Run("oci-archive:oci.tar").Succeeded().Out.Should().Be("b /etc\n");
    }

    [Fact]
    public void What_we_export_runs_under_podman_and_is_read_by_umoci_and_skopeo()
    {
        var image = _root.Image();
        _root.Muster("image", "export", image, $"oci-archive:{_root.Work}/ours.tar:1").Succeeded();
        _root.Muster("image", "export", image, $"oci:{_root.Work}/ours:1").Succeeded();
        Shell("skopeo inspect oci:ours:1 | jq -r .Os").Should().Be("linux\n");
        Shell("umoci unpack --image ours:1 bundle && readlink bundle/rootfs/bin/sh").Should().Be("busybox\n");
        Shell($"{Podman} pull -q oci-archive:ours.tar > id && {Podman} run --rm --net=host --ulimit nofile=1024:4096 --ulimit nproc=1024:1024 $(cat id) -c 'echo ours; id -u'").Should().Be("ours\n0\n");
    }

    [Fact]
    public void A_truncated_gzip_file_is_refused_by_the_program_itself()
    {
        Umoci("whole");
        var layer = Shell("jq -r '.manifests[0].digest' layout/index.json | tr : / | xargs -I@ jq -r '.layers[-1].digest' layout/blobs/@").Trim().Replace(':', '/');
        var bytes = File.ReadAllBytes($"{_root.Work}/layout/blobs/{layer}");
        bytes[..2].Should().Equal(0x1f, 0x8b);
        foreach (var cut in new[] { 1, 4, 8, 100 })
        {
            // An ACI announces no size: only the compressed data itself tells that its end is missing.
            Shell($"mkdir -p aci/rootfs && echo '{{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/cut\"}}' > aci/manifest && tar -C aci -cz manifest rootfs | head -c -{cut} > cut.aci");
            var run = _root.Muster("fetch", "--insecure-options=image", $"{_root.Work}/cut.aci");
            run.Status.Should().Be(254, "cut by {0}", cut);
            run.Error.Should().ContainAny("damaged", "cut off");
        }

        _root.Muster("image", "list", "-q").Succeeded().Out.Should().BeEmpty();
    }

    private void Umoci(string words) => Shell($"umoci init --layout layout && umoci new --image layout:1 && umoci insert --image layout:1 files / && umoci config --image layout:1 --config.entrypoint /bin/sh --config.cmd -c --config.cmd 'echo {words}'");

    private ProgramRun Run(string place)
    {
        var colon = place.IndexOf(':', StringComparison.Ordinal);
        return _root.Muster("run", "--net=none", "--insecure-options=image", $"{place[..colon]}:{_root.Work}/{place[(colon + 1)..]}");
    }

    private string Shell(string line) => ProgramRun.Of("/bin/sh", ["-ec", line], folder: _root.Work).Succeeded().Out;
}
