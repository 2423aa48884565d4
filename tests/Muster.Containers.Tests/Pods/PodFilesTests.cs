using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Muster.Containers.Metadata;
using Muster.Containers.Pods;
using Muster.Core.Supervision;
using Muster.Images;
using Muster.Network;
using Muster.TestKit;

namespace Muster.Containers.Tests.Pods;

/// <summary>The pod directory's JSON files: what is not written has the default that the record says.</summary>
public sealed partial class PodFilesTests
{
    [Fact]
    public void A_pod_record_without_its_optional_members_has_their_defaults() => EveryChoice(new PodRecord
    {
        Uuid = Guid.NewGuid().ToString(),
        CreatedAt = DateTimeOffset.UnixEpoch,
        Hostname = "h",
        Networks = [],
        Volumes = [new VolumeRecord { Name = "v", Kind = "empty" }],
        Apps =
        [
            new AppRecord
            {
                Name = "a",
                ImageId = "sha256-0",
                ImageName = "a",
                Reference = "a",
                Trust = new TrustRecord { Verdict = TrustVerdict.Built },
                Trees = [],
                Arguments = [],
                Environment = [],
                WorkingDirectory = "/",
                Isolation = new IsolationRecord { Capabilities = [], Seccomp = new SeccompChoice { Mode = "default" } },
            },
        ],
    }, PodJson.Default.PodRecord);

    [Fact]
    public void A_pod_status_without_its_optional_members_has_their_defaults() => EveryChoice(new PodStatus(), PodJson.Default.PodStatus);

    [Fact]
    public void A_plan_without_its_optional_members_has_their_defaults() => EveryChoice(new SupervisionPlan
    {
        Pod = "p",
        Runtime = "crun",
        RuntimeArguments = [],
        Cgroup = "/x",
        CgroupLock = "/y",
        ExitedDirectory = "/z",
        Mounts = [new PlannedMount { Type = "overlay", Target = "/t" }],
        Apps = [new PlannedApp { Name = "a", Id = "i", Bundle = "/b" }],
    }, PodJson.Default.SupervisionPlan);

    [Fact]
    public void A_registration_without_its_optional_members_has_their_defaults() => EveryChoice(new Registration
    {
        Token = "t",
        Key = [1],
        Port = 1,
        Pod = new MetadataPod { Pod = Guid.NewGuid(), Addresses = [], Manifest = JsonElement.Parse("{}"), Apps = [], ServiceAddress = "127.0.0.1" },
    }, MetadataJson.Default.Registration);

    [Fact]
    public void A_network_state_without_its_optional_members_has_their_defaults() =>
        EveryChoice(new PodNetworkState { NamespacePath = "/n" }, NetworkJson.Default.PodNetworkState);

    [Fact]
    public void Files_of_etc_can_be_read_by_every_user_whatever_the_umask()
    {
        var folder = Directory.CreateTempSubdirectory("muster-etc-").FullName;
        try
        {
            var before = umask(0b000_111_111);
            try
            {
                Containers.Runtime.PodFiles.Write(folder, Kit.Pod(), null);
            }
            finally
            {
                _ = umask(before);
            }

            var files = Directory.GetFiles(Path.Combine(folder, "etc"));
            files.Should().HaveCount(3);
            files.Should().OnlyContain(f => File.GetUnixFileMode(f) == (UnixFileMode)0b110_100_100);
            File.GetUnixFileMode(Path.Combine(folder, "etc")).Should().Be((UnixFileMode)0b111_101_101);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [System.Runtime.InteropServices.LibraryImport("libc")]
    private static partial uint umask(uint mask);

    private static void EveryChoice<T>(T sample, JsonTypeInfo<T> json) =>
        Gen.Bool.Array[LeftOutMembers.Count(sample, json) + 1].Sample(left => LeftOutMembers.Check(sample, json, left), iter: 300);
}
