using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.Metrics.Wire;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Archive;

/// <summary>Archives that are written here are read here and by PCP's own tools.</summary>
public sealed class MetricArchiveTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Reads_what_it_wrote_of_every_type(int version)
    {
        var path = Record((ArchiveVersion)version);
        var archive = MetricArchive.Open(path);
        archive.Label.HostName.Should().Be("tester");
        archive.Label.Version.Should().Be((ArchiveVersion)version);
        var samples = archive.Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).ToList();
        samples.Should().HaveCount(3);
        samples[0].Time.Should().Be(TestArchive.Start.AddSeconds(1));
        Value("sample.signed").Signed.Should().Be(-42);
        Value("sample.unsigned").ToDouble(MetricType.UInt32).Should().Be(4_000_000_000);
        Value("sample.double").Real.Should().Be(0.125);
        Value("sample.long").Signed.Should().Be(-9_000_000_000);
        Value("sample.bytes").Bytes.Should().Equal(1, 2, 3, 4, 5);
        Value("kernel.uname.nodename").Text.Should().Be("vm");
        Value("sample.event").Events.Should().HaveCount(2);
        archive.Metadata.InstanceName(SampleAgent.Loads, 15, TestArchive.Start.AddSeconds(2)).Should().Be("15 minute");
        archive.Metadata.Text(5, archive.Metadata.Find("kernel.all.load")!.Descriptor.Id.Value).Should().Be("1, 5 and 15 minute load average");
        archive.Metadata.Labels(32, SampleAgent.Interfaces.Value, 0).Should().Contain("\"interface\":\"lo\"");
        archive.IsTorn.Should().BeFalse();

        MetricValue Value(string name) => samples[1].Sets.Single(s => s.Id == archive.Metadata.Find(name)!.Descriptor.Id).Values[0].Value;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void PCPs_tools_read_what_it_wrote(int version)
    {
        var path = Record((ArchiveVersion)version);
        ProgramRun.Of("pmlogcheck", [path]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of("pmdumplog", ["-a", path]).Succeeded().Out.Should().ContainAll("tester", "kernel.all.load", "value -42", "value 4000000000");
        ProgramRun.Of("pminfo", ["-a", path, "-fdtl", "kernel.all.load", "network.interface.in.bytes", "sample.long"]).Succeeded().Out.Should().ContainAll("inst [15 or \"15 minute\"] value 1.2", "value 5000000003", "value -9000000000", "\"interface\":\"lo\"", "[bytes received]");
        ProgramRun.Of("pmval", ["-a", path, "-t", "1", "sample.double"]).Succeeded().Out.Should().Contain("0.125");
        ProgramRun.Of("/usr/bin/python3", ["/usr/bin/pmrep", "-a", path, "-t", "1", "-o", "csv", "sample.signed"], environment: new Dictionary<string, string> { ["PYTHONPATH"] = "/usr/lib/python3/dist-packages" }).Succeeded().Out.Should().Contain("-42");
        ProgramRun.Of("pmlogextract", [path, _folder.At("extracted")]).Succeeded();
        ArchiveSet.Open([_folder.At("extracted")]).Names.Find("sample.double").Should().NotBeNull();
    }

    [Fact]
    public void Tells_what_comes_and_goes_and_pmdumplog_sees_it()
    {
        var path = _folder.At("changes");
        using (var archive = new TestArchive(path))
        {
            archive.Instances(TimeSpan.FromSeconds(1), "web", "db", "old");
            archive.Write(TimeSpan.FromSeconds(1), (TestArchive.Memory, [1, 2, 3]));
            archive.Writer.AddInstanceChanges(TestArchive.Start.AddSeconds(2), TestArchive.Containers, [(2, null), (3, "new")]);
            archive.Write(TimeSpan.FromSeconds(2), (TestArchive.Memory, [1, 2]));
        }

        ProgramRun.Of("pmlogcheck", [path]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of("pmdumplog", ["-i", path]).Succeeded().Out.Should().ContainAll("\"old\"", "\"new\"");
        MetricArchive.Open(path).Metadata.InstanceName(TestArchive.Containers, 3, TestArchive.Start.AddSeconds(3)).Should().Be("new");
    }

    [Theory]
    [InlineData("zstd", "-q", "--rm")]
    [InlineData("xz", "-q", "-9")]
    [InlineData("gzip", "-q", "-1")]
    [InlineData("bzip2", "-q", "-1")]
    public void Reads_on_over_volumes_plain_and_compressed(string program, params string[] options)
    {
        var path = _folder.At("volumes");
        using (var archive = new TestArchive(path))
        {
            for (var i = 1; i <= 300; i++)
            {
                archive.Write(TimeSpan.FromSeconds(i), (TestArchive.Load, [i]));
                if (i % 100 == 0)
                {
                    archive.Writer.NextVolume();
                }
            }
        }

        ProgramRun.Of("pmlogcheck", [path]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of(program, [.. options, path + ".0", path + ".1", path + ".meta"]).Succeeded();
        var series = Numbers(path, default).Should().ContainSingle().Subject;
        series.Points.ToArray().Select(p => p.Value).Should().Equal(Enumerable.Range(1, 300).Select(i => (double)i));
        Numbers(path, TestArchive.Start.AddSeconds(290)).Single().Points.ToArray()[^1].Value.Should().Be(300);
        Numbers(path, TestArchive.Start.AddSeconds(290)).Single().Points.Length.Should().BeInRange(11, 75);
    }

    [Theory]
    [InlineData("xz", ".xz")]
    [InlineData("gzip", ".gz")]
    [InlineData("bzip2", ".bz2")]
    [InlineData("zstd", ".zst", "--rm")]
    public void Refuses_compressed_volumes_that_are_damaged_cut_off_or_no_such_thing(string program, string ending, params string[] options)
    {
        var path = Record(ArchiveVersion.V3);
        ProgramRun.Of(program, ["-q", .. options, path + ".0"]).Succeeded();
        var whole = File.ReadAllBytes(path + ".0" + ending);
        var damaged = (byte[])whole.Clone();
        damaged[whole.Length / 2] ^= 0x55;
        foreach (var bytes in new[] { whole[..^9], damaged, "no such thing"u8.ToArray() })
        {
            File.WriteAllBytes(path + ".0" + ending, bytes);
            var refused = FluentActions.Invoking(() => MetricArchive.Open(path).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Count()).Should().Throw<MusterException>().Which;
            refused.Kind.Should().Be(ErrorKind.Corrupt);
            refused.Message.Should().Contain(path + ".0" + ending).And.NotContain("\n");
        }

        File.WriteAllBytes(path + ".0" + ending, []);
        FluentActions.Invoking(() => MetricArchive.Open(path).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Count()).Should().Throw<MusterException>();
        File.Move(path + ".0" + ending, path + ".0.lzma");
        FluentActions.Invoking(() => MetricArchive.Open(path).Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Count()).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Unsupported);
    }

    [Fact]
    public void Interpolates_as_pmval_does()
    {
        var path = _folder.At("values");
        using (var archive = new TestArchive(path))
        {
            archive.Instances(TimeSpan.FromSeconds(1), "web");
            for (var i = 1; i <= 20; i++)
            {
                archive.Write(TimeSpan.FromSeconds(i * 3), (TestArchive.Cpu, [i * i * 100_000]), (TestArchive.Memory, [i * 10]));
            }
        }

        var archives = ArchiveSet.Open([path]);
        var window = TimeWindow.Parse("+10s", "+30s", archives);
        var ours = ArchiveReplay.Interpolated(archives, ["container.cpu.usage"], window, TimeSpan.FromSeconds(5), isRaw: false).Select(r => r.Value!.Value).ToList();
        var theirs = ProgramRun.Of("pmval", ["-a", path, "-S", "+10", "-T", "+20", "-t", "5", "-f", "6", "container.cpu.usage"]).Succeeded().Out
            .Split('\n').Where(l => l.Length > 12 && l[2] == ':' && char.IsAsciiDigit(l.TrimEnd()[^1])).Select(l => double.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        theirs.Should().HaveCountGreaterThanOrEqualTo(4);
        ours.Skip(ours.Count - theirs.Count).Zip(theirs).Should().AllSatisfy(p => p.First.Should().BeApproximately(p.Second, 1e-3));
    }

    [Fact]
    public void A_torn_end_is_shown_and_a_repaired_archive_passes_pmlogcheck()
    {
        var path = Record(ArchiveVersion.V3);
        using (var file = File.OpenWrite(path + ".0"))
        {
            file.SetLength(file.Length - 7);
        }

        var archive = MetricArchive.Open(path);
        archive.Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Should().HaveCount(2);
        archive.IsTorn.Should().BeTrue();
        ArchiveRepair.Repair(path).Should().BeTrue();
        ProgramRun.Of("pmlogcheck", [path]).Status.Should().Be(0);
        var repaired = MetricArchive.Open(path);
        repaired.Read(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null).Should().HaveCount(2);
        repaired.IsTorn.Should().BeFalse();
    }

    [Fact]
    public void A_volume_that_was_begun_and_not_written_to_is_taken_back()
    {
        var path = _folder.At("begun");
        using (var archive = new TestArchive(path))
        {
            archive.Write(TimeSpan.FromSeconds(1), (TestArchive.Load, [1]));
            archive.Write(TimeSpan.FromSeconds(2), (TestArchive.Load, [2]));
            archive.Writer.NextVolume();
        }

        ArchiveRepair.Repair(path).Should().BeTrue();
        File.Exists(path + ".1").Should().BeFalse();
        ProgramRun.Of("pmlogcheck", [path]).Succeeded().Out.Should().BeEmpty();
        Numbers(path, default).Single().Points.Length.Should().Be(2);
    }

    [Fact]
    public void Any_damage_is_read_around_or_refused_in_one_sentence()
    {
        var path = Record(ArchiveVersion.V3);
        var originals = new[] { ".meta", ".0", ".index" }.ToDictionary(e => e, e => File.ReadAllBytes(path + e));
        Gen.Select(Pick(".meta", ".0", ".index"), Gen.Int[0, 1_000_000], Gen.Byte, Gen.Bool).Sample((ext, at, flip, isCut) =>
        {
            var bytes = (byte[])originals[ext].Clone();
            bytes = isCut ? bytes[..(at % bytes.Length)] : bytes;
            if (!isCut)
            {
                bytes[at % bytes.Length] ^= flip;
            }

            File.WriteAllBytes(path + ext, bytes);
            try
            {
                var archives = ArchiveSet.Open([path]);
                _ = archives.End;
                _ = ArchiveReplay.Recorded(archives, ArchiveReplay.Metrics(archives, []), new TimeWindow(archives.Start, DateTimeOffset.MaxValue), isRaw: false).Count();
            }
            catch (MusterException e)
            {
                e.Message.Should().NotContain("\n");
                e.Kind.Should().BeOneOf(ErrorKind.Corrupt, ErrorKind.NotFound, ErrorKind.Unsupported);
            }
            finally
            {
                File.WriteAllBytes(path + ext, originals[ext]);
            }
        }, iter: 600, threads: 1);
    }

    [Fact]
    public void The_fuzz_target_finds_no_fault()
    {
        foreach (var input in Mutation.Of(ArchiveTarget.Seeds, seed: 7, count: 3000))
        {
            ArchiveTarget.Run(input);
        }
    }

    [Fact]
    public void Refuses_what_is_no_archive_and_what_exists()
    {
        FluentActions.Invoking(() => MetricArchive.Open(_folder.At("nothing"))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);
        _folder.Write("text.meta", "hello");
        _folder.Write("text.0", "hello");
        FluentActions.Invoking(() => MetricArchive.Open(_folder.At("text"))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Corrupt);
        FluentActions.Invoking(() => new TestArchive(_folder.At("text"))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        Directory.GetFiles(_folder.Path).Should().HaveCount(2);
    }

    private static IReadOnlyList<ValueSeries> Numbers(string path, DateTimeOffset from) => SeriesReading.Read(ArchiveSet.Open([path]), ["sample.load"], from, DateTimeOffset.MaxValue);

    private string Record(ArchiveVersion version)
    {
        var path = _folder.At("sample" + (int)version);
        var names = new MetricCatalog([new SampleAgent()]).Current;
        using var writer = new ArchiveWriter(path, new ArchiveLabel(version, 4711, TestArchive.Start, "tester", "UTC0", ":Etc/UTC"));
        var recorder = new ArchiveRecorder(writer, MetricView.Host);
        var plan = FetchPlan.Of(names, [.. names.All.Select(m => m.Metric.Descriptor.Id)]);
        for (var i = 1; i <= 3; i++)
        {
            using var buffer = ValueSetBuffer.Rent();
            plan.Collect(MetricView.Host, buffer, null);
            recorder.Record(plan, buffer, _ => null, TestArchive.Start.AddSeconds(i));
        }

        return path;
    }

    private static Gen<string> Pick(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);
}
