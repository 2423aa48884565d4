using System.Globalization;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Agents;

/// <summary>Our agents beside Debian's pmcd on this host: what both have must have the same names, numbers, instances and values.</summary>
public sealed class PcpComparisonTests(ITestOutputHelper output)
{
    [Fact]
    public void Gives_what_pmcd_gives_of_the_kernel()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        using var objects = new IpcObjects();
        var agent = KernelAgent.Create(ContainerCatalog.Empty, "0.1");
        agent.ByInstance("ipc.shm.segsz").Should().Contain(v => v.Key == objects.Segment && v.Value.Signed == IpcObjects.SegmentSize);
        Compare(agent, ["kernel", "mem", "swap", "swapdev", "hinv", "disk", "network", "filesys", "tmpfs", "vfs", "ipc", "pmda"], KnownDifferences.Kernel);
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_processes_and_groups()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        Compare(ProcessAgent.Create(ContainerCatalog.Empty), ["proc", "cgroup"], KnownDifferences.Processes);
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_mapped_devices_arrays_and_paths()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");

        // The device mapper, md and SCSI are not in every kernel: both read the same files in place of the host's.
        using var files = new DeviceFiles();
        var agent = KernelAgent.DisksOf(files.Folder);
        Compare(agent, ["disk", "hinv.map.dmname", "hinv.map.mdname", "hinv.map.scsi_id", "hinv.ndisk"], KnownDifferences.Devices, new() { ["LINUX_STATSPATH"] = files.Folder });
        agent.ByInstance("disk.md.status").ToDictionary(v => v.Key, v => v.Value.Signed).Should().Equal(new Dictionary<string, long> { ["md0"] = 1, ["backup"] = 0 });
        agent.ByInstance("disk.wwid.capacity")["36005076801"].Signed.Should().Be(102_400, "two paths lead to one disk");
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_containers()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        var folder = Directory.CreateTempSubdirectory("muster-docker-");
        try
        {
            var id = new string('a', 64);
            using var group = new Containers.TestContainer($"/docker-{id}.scope");
            var process = group.Start("read line");
            var states = new (string Id, string Name, string State)[]
            {
                (id, "web", $$"""{"Running":true,"Paused":false,"Restarting":false,"StartedAt":"2026-01-02T03:04:05Z","Pid":{{process.Id}} }"""),
                (new string('b', 64), "paused", $$"""{"Running":true,"Paused":true,"Restarting":false,"StartedAt":"2026-01-02T03:04:05Z","Pid":{{Environment.ProcessId}} }"""),
                (new string('c', 64), "again", """{"Running":true,"Paused":false,"Restarting":true,"Pid":0,"StartedAt":"2026-01-02T03:04:05Z"}"""),
            };
            foreach (var (each, name, state) in states)
            {
                var path = folder.CreateSubdirectory("containers/" + each).FullName;
                File.WriteAllText(Path.Combine(path, "config.v2.json"), $$"""{"State":{{state}},"ID":"{{each}}","Name":"/{{name}}","RestartCount":0,"Config":{"Image":"x"} }""");
            }

            using var docker = new DockerContainers(TimeProvider.System, Path.Combine(folder.FullName, "containers"));
            using var catalog = new ContainerCatalog([docker]);
            Compare(ContainerListAgent.Create(catalog, Linux.CgroupHierarchies.Load()), ["containers"], KnownDifferences.Containers, new() { ["PCP_DOCKER_DIR"] = folder.FullName });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Compare(IMetricAgent agent, string[] trees, IReadOnlyList<KnownDifference> known, Dictionary<string, string>? environment = null)
    {
        using var pmcd = RealPmcd.Start(environment);
        var first = Snapshot(agent);
        var theirs = pmcd.Ask(trees);
        var second = Snapshot(agent);
        var differences = new List<string>();
        foreach (var (name, metric) in theirs)
        {
            // 511 is the domain of what the client library computes itself.
            if (metric.Id.StartsWith("511.", StringComparison.Ordinal))
            {
                continue;
            }

            var ours = agent.Metrics.FirstOrDefault(m => m.Name == name);
            if (ours is null)
            {
                // We list only what this kernel has values for.
                differences.AddRange(metric.Values.Count == 0 ? [] : [$"{name}: not listed here, pmcd has {metric.Values.First()}"]);
                continue;
            }

            // Processes come and go: only those that were there all the time are compared.
            if (ours.Instances == InstanceDomainId.Of(3, 9))
            {
                foreach (var process in metric.Values.Keys.Concat(first[name].Keys).Distinct().ToList())
                {
                    if (!(first["proc.psinfo.pid"].ContainsKey(process) && second["proc.psinfo.pid"].ContainsKey(process) && theirs["proc.psinfo.pid"].Values.ContainsKey(process)))
                    {
                        metric.Values.Remove(process);
                        first[name].Remove(process);
                    }
                }
            }

            differences.AddRange(Descriptors(ours, metric).Concat(Values(ours, first[name], second[name], metric)));
        }

        var unexplained = new List<string>();
        foreach (var difference in differences)
        {
            var reason = known.FirstOrDefault(k => k.Matches(difference))?.Reason;
            output.WriteLine($"{difference}   [{reason ?? "UNEXPLAINED"}]");
            if (reason is null)
            {
                unexplained.Add(difference);
            }
        }

        output.WriteLine($"{theirs.Count} metrics of pmcd, {agent.Metrics.Count} of ours, {agent.Metrics.Count(m => !theirs.ContainsKey(m.Name))} that only we have, {differences.Count} differences");
        unexplained.Should().BeEmpty();
    }

    private static IEnumerable<string> Descriptors(MetricDescriptor ours, PcpMetric theirs)
    {
        var domain = ours.Instances == InstanceDomainId.None ? "PM_INDOM_NULL" : ours.Instances.ToString();
        (string What, string Ours, string Theirs)[] parts =
        [
            ("pmid", ours.Id.ToString(), theirs.Id),
            ("type", PcpAnswers.Format(ours.Type), theirs.Type),
            ("indom", domain, theirs.Domain),
            ("semantics", ours.Semantics.ToString().ToLowerInvariant(), theirs.Semantics),
            ("units", PcpAnswers.Format(ours.Units), theirs.Units),
        ];
        return parts.Where(p => p.Ours != p.Theirs).Select(p => $"{ours.Name}: {p.What} {p.Ours}, pmcd has {p.Theirs}");
    }

    private static IEnumerable<string> Values(MetricDescriptor ours, Dictionary<string, string> first, Dictionary<string, string> second, PcpMetric theirs)
    {
        foreach (var (instance, value) in theirs.Values)
        {
            if (!first.TryGetValue(instance, out var before) && !second.TryGetValue(instance, out before))
            {
                yield return $"{ours.Name}[{instance}]: no value here, pmcd has {value}";
                continue;
            }

            var after = second.GetValueOrDefault(instance, before);
            if (!IsNear(ours, before, after, value))
            {
                yield return $"{ours.Name}[{instance}]: {before} then {after}, pmcd had {value} in between";
            }
        }

        foreach (var instance in first.Keys)
        {
            if (!theirs.Values.ContainsKey(instance) && theirs.Values.Count > 0)
            {
                yield return $"{ours.Name}[{instance}]: {first[instance]}, pmcd has no value";
            }
        }
    }

    private static bool IsNear(MetricDescriptor metric, string before, string after, string value)
    {
        if (metric.Type == MetricType.String)
        {
            return value == before || value == after;
        }

        if (!double.TryParse(before, CultureInfo.InvariantCulture, out var low) || !double.TryParse(after, CultureInfo.InvariantCulture, out var high) || !double.TryParse(value, CultureInfo.InvariantCulture, out var real))
        {
            return value == before;
        }

        // What pmcd read lies between our two readings, give or take: pminfo prints 8 digits, and levels go up and down.
        (low, high) = (Math.Min(low, high), Math.Max(low, high));
        var slack = (metric.Semantics == MetricSemantics.Counter ? 0.0001 : 0.05) * Math.Max(Math.Abs(low), Math.Abs(high));
        var floor = metric.Semantics switch { MetricSemantics.Counter => 1, MetricSemantics.Discrete => 0, _ => 20 };
        return real >= low - slack - floor && real <= high + slack + floor;
    }

    private static Dictionary<string, Dictionary<string, string>> Snapshot(IMetricAgent agent)
    {
        var names = agent.InstanceDomains.ToDictionary(d => d.Id, d => agent.GetInstances(d.Id, MetricView.Host).ToDictionary(i => i.Id, i => i.Name.Split(' ')[0]));
        var sets = agent.Fetch(MetricView.Host, agent.Metrics);
        var found = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        for (var i = 0; i < sets.Length; i++)
        {
            var metric = agent.Metrics[i];
            var values = found[metric.Name] = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var value in sets[i].Values)
            {
                var name = metric.Instances == InstanceDomainId.None ? "" : names[metric.Instances].GetValueOrDefault(value.Instance);
                if (name is not null)
                {
                    values[name] = PcpAnswers.Format(value.Value, metric.Type);
                }
            }
        }

        return found;
    }
}
