using Muster.Metrics.Archive;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Reporting;

/// <summary>Reports of archives whose truth is known.</summary>
public sealed class ReportFaultTests : IDisposable
{
    private const double Mega = 1048576;
    private const double Giga = 1024 * Mega;

    private static readonly InstanceDomainId Links = InstanceDomainId.Of(60, 2);
    private static readonly InstanceDomainId FileSystems = InstanceDomainId.Of(60, 5);
    private static readonly MetricDescriptor Received = new("network.interface.in.bytes", MetricId.Of(60, 3, 0), MetricType.UInt64, Links, MetricSemantics.Counter, MetricUnits.Byte, "in");
    private static readonly MetricDescriptor AllReceived = new("network.all.in.bytes", MetricId.Of(60, 90, 0), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Byte, "in");
    private static readonly MetricDescriptor Processors = new("hinv.ncpu", MetricId.Of(60, 0, 32), MetricType.UInt32, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.None, "processors");
    private static readonly MetricDescriptor Physical = new("mem.physmem", MetricId.Of(60, 1, 9), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Discrete, MetricUnits.Kibibyte, "memory");
    private static readonly MetricDescriptor Available = new("mem.util.available", MetricId.Of(60, 1, 58), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.Kibibyte, "available");
    private static readonly MetricDescriptor Used = new("filesys.used", MetricId.Of(60, 5, 2), MetricType.UInt64, FileSystems, MetricSemantics.Instant, MetricUnits.Kibibyte, "used");
    private static readonly MetricDescriptor Capacity = new("filesys.capacity", MetricId.Of(60, 5, 1), MetricType.UInt64, FileSystems, MetricSemantics.Instant, MetricUnits.Kibibyte, "capacity");
    private static readonly MetricDescriptor Kills = new("container.memory.oom_kills", MetricId.Of(450, 2, 9), MetricType.UInt64, TestArchive.Containers, MetricSemantics.Counter, MetricUnits.Count, "kills");
    private static readonly MetricDescriptor Disk = new("container.filesystem.used", MetricId.Of(450, 7, 0), MetricType.UInt64, TestArchive.Containers, MetricSemantics.Instant, MetricUnits.Byte, "used");
    private static readonly MetricDescriptor DiskSize = new("container.filesystem.capacity", MetricId.Of(450, 7, 1), MetricType.UInt64, TestArchive.Containers, MetricSemantics.Instant, MetricUnits.Byte, "capacity");
    private static readonly MetricDescriptor SentBy = new("container.network.all.out.bytes", MetricId.Of(450, 5, 11), MetricType.UInt64, TestArchive.Containers, MetricSemantics.Counter, MetricUnits.Byte, "out");
    private static readonly MetricDescriptor[] Busy = [.. ((string[])["user", "nice", "sys", "steal", "irq.hard", "irq.soft", "intr", "idle", "guest"]).Select((n, i) => new MetricDescriptor("kernel.all.cpu." + n, MetricId.Of(60, 0, 60 + i), MetricType.UInt64, InstanceDomainId.None, MetricSemantics.Counter, MetricUnits.Millisecond, n))];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_window_begins_where_it_is_said_to()
    {
        Write(["web"], 24 * 60, 60, s => [(TestArchive.Memory, [(s < 23 * 3600 ? 10 : 100) * Mega]), (TestArchive.Cpu, [s < 23 * 3600 ? s * 1e5 : (23 * 3600 * 1e5) + ((s - (23 * 3600)) * 5e5)]), .. s == 0 ? new[] { (Processors, new double[] { 4 }) } : []]);
        var report = Plan("-30m");
        report.From.Should().BeOnOrAfter(report.To.AddMinutes(-30));
        var memory = Use(report, "web", "memory");
        (memory.Mean, memory.Percentile95, memory.Samples).Should().Be((100 * Mega, 100 * Mega, 31));
        var cpu = Use(report, "web", "cpu");
        cpu.Mean.Should().BeApproximately(0.5, 1e-9);
        cpu.Samples.Should().Be(30, "the first rate needs the value before");
    }

    [Fact]
    public void The_first_rate_of_a_window_counts_only_from_its_beginning_and_what_was_recorded_once_is_known()
    {
        Write([], 200, 60, s => [(Busy[0], [s < 6000 ? s * 1000 : 6_000_000 + ((s - 6000) * 500)]), .. s == 0 ? new[] { (Processors, new double[] { 4 }) } : []]);
        var cpu = Use(Plan("+6030s"), "tester", "cpu");
        cpu.Limit.Should().Be(4);
        cpu.Peak.Should().BeApproximately(0.5, 1e-9);
    }

    [Fact]
    public void Niced_time_is_busy_and_guests_are_part_of_user()
    {
        Write([], 100, 10, s => [.. Busy[..6].Select((m, i) => (m, new double[] { s * (i + 1) * 10 })), (Busy[7], [s * 500]), (Busy[8], [s * 5])]);
        Use(Plan(), "tester", "cpu").Mean.Should().BeApproximately(0.21, 1e-9);
    }

    [Fact]
    public void Interrupts_count_once_however_they_were_recorded()
    {
        Write([], 100, 10, s => [(Busy[0], [s * 100]), (Busy[6], [s * 50])]);
        Use(Plan(), "tester", "cpu").Mean.Should().BeApproximately(0.15, 1e-9);
        Write([], 100, 10, s => [(Busy[0], [s * 100]), (Busy[4], [s * 20]), (Busy[5], [s * 30]), (Busy[6], [s * 50])], "both");
        Use(Plan(from: null, name: "both"), "tester", "cpu").Mean.Should().BeApproximately(0.15, 1e-9);
    }

    [Fact]
    public void Links_that_began_at_different_times_are_added_at_all_times()
    {
        Write([], 12000, 1, s => [(Received, s < 1 ? [0.0] : [s * 1000, (s - 1) * 1000])], links: ["eth0", "eth1"]);
        var network = Use(Plan(), "tester", "network in");
        network.Percentile95.Should().BeApproximately(2000, 1e-6);
        network.Mean.Should().BeApproximately(2000, 1);
    }

    [Fact]
    public void A_packet_of_a_container_comes_to_the_host_once_or_not_at_all()
    {
        string[] links = ["lo", "eth0", "docker0", "veth3fa1", "br-0a1b", "cni0"];
        Write([], 100, 10, s => [(Received, [s * 9, 0, s * 1e5, s * 1e5, s * 1e5, s * 1e5])], links: links);
        Use(Plan(), "tester", "network in").Peak.Should().Be(0);
        Write([], 100, 10, s => [(Received, [s * 9, s * 300, s * 1e5, s * 1e5, 0, 0]), (AllReceived, [s * 300])], "all", links);
        Use(Plan(from: null, name: "all"), "tester", "network in").Mean.Should().BeApproximately(300, 1e-6);
    }

    [Fact]
    public void A_value_counts_by_the_time_it_held_and_gaps_by_nothing()
    {
        // An hour at 10 MB each minute, a minute at 1 GB each second.
        Write(["web"], 120, i => i <= 60 ? i * 60 : 3600 + i - 60, s => [(TestArchive.Memory, [s < 3600 ? 10e6 : 1e9])]);
        var memory = Use(Plan(), "web", "memory");
        memory.Mean.Should().BeApproximately(((3600 * 10e6) + (61 * 1e9)) / 3661, 1);
        memory.Percentile95.Should().Be(10e6);

        // Four hours of nothing between two of values, one of them high.
        Write(["web"], 120, i => i <= 60 ? i * 60 : (i * 60) + (4 * 3600), s => [(TestArchive.Memory, [s <= 3600 ? 100 : 300])], "gap");
        Use(Plan(from: null, name: "gap"), "web", "memory").Mean.Should().BeApproximately(199.2, 0.1);
    }

    [Fact]
    public void A_pod_of_one_app_has_one_row_and_one_of_two_has_three()
    {
        Write(["oom", "oom/box", "two", "two/a", "two/b", "alone/x"], 120, 60, s => [(TestArchive.Memory, [50 * Mega, 50 * Mega, 9 * Mega, 5 * Mega, 4 * Mega, Mega]), (TestArchive.Limit, [0, 64 * Mega, 0, 0, 0, 0]), (Kills, [s < 3000 ? 0 : 2, s < 3000 ? 0 : 2, 0, 0, 0, 0])]);
        var report = Plan();
        report.Subjects.Select(s => s.Name).Should().BeEquivalentTo("oom", "two", "two/a", "two/b", "alone/x");
        var memory = Use(report, "oom", "memory");
        memory.Limit.Should().Be(64 * Mega);
        memory.Reason.Should().Be("2 processes were killed because memory ran out");
        ReportAdvice.Of(report).Should().ContainSingle().Which.Subject.Name.Should().Be("oom");
        ReportPage.Render(report).Should().Contain("suffers from its limits");
    }

    [Fact]
    public void A_step_is_no_trend_and_what_began_to_grow_late_is_one()
    {
        Write(["step", "late-step", "leak", "late-leak"], 48 * 60, 60, s => [(TestArchive.Memory, [(s < 20 * 3600 ? 300 : 800) * Mega, (s < 40 * 3600 ? 300 : 800) * Mega, (100 + (s / 3600.0 * 10)) * Mega, (s < 30 * 3600 ? 100 : 100 + ((s / 3600.0 - 30) * 10)) * Mega]), (TestArchive.Limit, [Giga, Giga, Giga, Giga])]);
        var report = Plan();
        Use(report, "step", "memory").DaysToFull.Should().BeNull();
        ReportFigures.Trend(Use(report, "step", "memory")).Should().Be("steady");
        Use(report, "late-step", "memory").DaysToFull.Should().BeNull();
        Use(report, "leak", "memory").DaysToFull.Should().BeApproximately((1024 - 580) / 240.0, 0.02);
        Use(report, "late-leak", "memory").DaysToFull.Should().BeInRange(3, 4, "ten MiB an hour from 280 MiB, by a line over the last half");
    }

    [Fact]
    public void What_is_over_its_limit_is_said_to_be()
    {
        Write(["web"], 120, 60, s => [(TestArchive.Memory, [(1 + (s / 36000.0)) * Giga]), (TestArchive.Limit, [Giga])]);
        var report = Plan();
        ReportFigures.DaysToFull(Use(report, "web", "memory")).Should().Be("over");
        ReportAdvice.Of(report).Should().ContainSingle().Which.Should().Match<Advice>(a => a.Kind == AdviceKind.Now && a.Text.EndsWith("it uses more than its limit.") && a.Text.StartsWith("Raise the memory limit from 1 GiB"));
    }

    [Fact]
    public void Hosts_and_file_systems_are_not_proposed_less_than_they_have()
    {
        Write(["web"], 120, 60, s => [(Busy[0], [s * 100]), (Processors, [2]), (Physical, [8 * Mega]), (Available, [7 * Mega]), (Used, [20, 95 * Mega]), (Capacity, [252 * Mega, 100 * Mega]), (Disk, [20000]), (DiskSize, [252 * Giga])], links: ["/dev/a", "/dev/b"]);
        var report = Plan();
        report.Subjects[0].Resources.Where(r => r.Detail != "/dev/b").Should().AllSatisfy(r => r.Proposal.Should().BeNull());
        report.Subjects[0].Resources.Single(r => r.Detail == "/dev/b").Proposal.Should().BeGreaterThan(100 * Giga);
        Use(report, "web", "disk").Proposal.Should().BeNull();
        Write([], 120, 60, s => [(Busy[0], [s * 2000]), (Processors, [2])], "full");
        Use(Plan(from: null, name: "full"), "tester", "cpu").Proposal.Should().Be(3);
    }

    [Fact]
    public void Says_how_many_containers_it_leaves_out_and_tells_those_that_matter()
    {
        var names = Enumerable.Range(0, 700).Select(i => $"c{i}").ToArray();
        Write(names, 5, 60, s => [(TestArchive.Memory, [.. names.Select((_, i) => i * Mega)])]);
        var report = Plan();
        (report.Subjects.Count, report.Omitted).Should().Be((500, 200));
        report.Subjects[0].Name.Should().Be("c699");
        report.OmittedText.Should().Be("500 of 700 containers and apps are told: those that suffer, fill up, or use the most; 200 are left out");
        ReportPage.Render(report).Should().Contain("500 of 700 containers and apps are told");
    }

    [Fact]
    public void A_host_uses_no_more_processors_than_it_has_however_late_a_record_was_written()
    {
        // Ticks of a whole second in records half a second apart.
        Write([], 100, i => (i * 10) + (i % 2 * 4), s => [(Busy[0], [s % 10 < 4 ? s * 2000 : (s - 4) * 2000 + 16000]), (Processors, [2])]);
        var cpu = Use(Plan(), "tester", "cpu");
        cpu.Peak.Should().Be(2);
        cpu.Headroom.Should().BeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public void Proposes_nothing_for_what_was_never_used_and_no_limit_that_nothing_could_start_with()
    {
        Write(["web"], 20, 60, s => [(TestArchive.Memory, [300_000]), (TestArchive.Limit, [Giga]), (SentBy, [0])]);
        var report = Plan();
        Use(report, "web", "network out").Proposal.Should().BeNull();
        Use(report, "web", "memory").Proposal.Should().Be(8 * Mega);
        ReportAdvice.Of(report).Should().BeEmpty("twenty minutes are no ground to take memory away");
        ReportPage.Render(report).Should().Contain("20 minutes say little");
    }

    [Fact]
    public void Tells_several_hosts_apart_in_one_report()
    {
        (MetricDescriptor, double[])[] values = [(TestArchive.Memory, [50 * Mega, 60 * Mega]), (TestArchive.Limit, [Giga, Giga])];
        Write(["web", "job"], 120, i => i * 60, s => [.. values, (Busy[0], [s * 100]), (Processors, [2])], "all/a", host: "north");
        Write(["web", "job2"], 120, i => i * 60, s => [.. values, (Busy[0], [s * 900]), (Processors, [4])], "all/b", host: "south");
        var hosts = ArchiveSet.OpenHosts([_folder.At("all")]);
        var report = CapacityPlanning.Of(hosts, TimeWindow.Parse(null, null, hosts), CapacityPlanning.DefaultMargin);
        report.Host.Should().Be("2 hosts");
        report.Hosts.Should().Equal("north", "south");
        report.Subjects.Select(s => (s.Host, s.Kind, s.Name)).Should().Equal(
            ("north", "host", "north"), ("north", "container", "job"), ("north", "container", "north:web"),
            ("south", "host", "south"), ("south", "container", "job2"), ("south", "container", "south:web"));
        Use(report, "north", "cpu").Mean.Should().BeApproximately(0.1, 1e-9);
        Use(report, "south", "cpu").Mean.Should().BeApproximately(0.9, 1e-9);
        ReportPage.Render(report).Should().Contain("colspan=\"7\">north</th>").And.Contain("colspan=\"7\">south</th>").And.Contain("Capacity of 2 hosts").And.Contain("container of south");
    }

    [Fact]
    public void Means_and_peaks_over_a_long_time_are_those_of_the_values()
    {
        // Every ten minutes one high value of ten seconds: over so long a time a minute and a half are joined.
        Write(["web"], 50_000, 10, s => [(TestArchive.Memory, [s % 600 < 10 ? Giga : 100 * Mega]), (Busy[0], [s * 100]), (Busy[2], [Math.Floor(s / 600) * 9000]), (Processors, [2])]);
        var report = Plan();
        var memory = Use(report, "web", "memory");
        (memory.Mean / ((100 * Mega) + (924 * Mega / 60))).Should().BeApproximately(1, 1e-3);
        memory.Peak.Should().Be(Giga);
        var cpu = Use(report, "tester", "cpu");
        cpu.Mean.Should().BeApproximately(0.115, 1e-3);
        cpu.Peak.Should().BeApproximately(1, 1e-9, "nine seconds of ten were used at once beside one that always is");
    }

    private static ResourceUse Use(CapacityReport report, string subject, string resource) => report.Subjects.Single(s => s.Name == subject).Resources.First(r => r.Resource == resource);

    private void Write(string[] names, int count, int interval, Func<double, (MetricDescriptor Metric, double[] Values)[]> values, string name = "a", string[]? links = null) =>
        Write(names, count, i => i * interval, values, name, links);

    private void Write(string[] names, int count, Func<int, int> seconds, Func<double, (MetricDescriptor Metric, double[] Values)[]> values, string name = "a", string[]? links = null, string host = "tester")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.At(name))!);
        using var archive = new TestArchive(_folder.At(name), host: host);
        foreach (var metric in new[] { Received, AllReceived, Processors, Physical, Available, Used, Capacity, Kills, Disk, DiskSize, SentBy }.Concat(Busy))
        {
            archive.Writer.AddDescriptor(metric, [metric.Name]);
        }

        archive.Instances(TimeSpan.FromSeconds(1), names);
        foreach (var domain in new[] { Links, FileSystems })
        {
            archive.Writer.AddInstances(TestArchive.Start.AddSeconds(1), domain, [.. (links ?? []).Select((n, i) => new MetricInstance(i, n))]);
        }

        for (var i = 0; i <= count; i++)
        {
            archive.Write(TimeSpan.FromSeconds(1 + seconds(i)), values(seconds(i)));
        }
    }

    private CapacityReport Plan(string? from = null, string name = "a")
    {
        var archives = ArchiveSet.Open([_folder.At(name)]);
        return CapacityPlanning.Of([archives], TimeWindow.Parse(from, null, archives), CapacityPlanning.DefaultMargin);
    }
}
