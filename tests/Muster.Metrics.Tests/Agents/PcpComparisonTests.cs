using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Processes.Hot;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Door;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents;

/// <summary>Our agents beside Debian's pmcd on this host: what both have must have the same names, numbers, instances and values.</summary>
public sealed class PcpComparisonTests(ITestOutputHelper output)
{
    private const int Rounds = 3;

    [Fact]
    public void Gives_what_pmcd_gives_of_the_kernel()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        using var objects = new IpcObjects();
        var agent = KernelAgent.Create(ContainerCatalog.Empty, "0.1");
        agent.ByInstance("ipc.shm.segsz").Should().Contain(v => v.Key == objects.Segment && v.Value.Signed == IpcObjects.SegmentSize);
        Compare(agent, ["kernel", "mem", "swap", "swapdev", "hinv", "disk", "network", "filesys", "tmpfs", "vfs", "ipc", "pmda", "zram", "sysfs"], KnownDifferences.Kernel);
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_processes_and_groups()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        Compare(ProcessAgent.Create(ContainerCatalog.Empty), ["proc", "cgroup", "acct"], KnownDifferences.Processes);
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_mapped_devices_arrays_and_paths()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");

        // The device mapper, md and SCSI are not in every kernel: both read the same files in place of the host's.
        using var files = new DeviceFiles();
        var agent = KernelAgent.DisksOf(files.Folder);
        Compare(agent, ["disk", "zram", "hinv.map.dmname", "hinv.map.mdname", "hinv.map.scsi_id", "hinv.ndisk"], KnownDifferences.Devices, new() { ["LINUX_STATSPATH"] = files.Folder });
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

    [Fact]
    public void Gives_what_pmcd_gives_of_hot_processes()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        using var first = ProgramRun.Start("/bin/sleep", ["86401"]);
        using var second = ProgramRun.Start("/bin/sleep", ["86402"]);
        try
        {
            const string predicate = "fname == \"sleep\" && (psargs == \"/bin/sleep 86401\" || psargs == \"/bin/sleep 86402\")";
            using var hot = new HotProcesses(TimeProvider.System, null);
            var agent = ProcessAgent.Create(ContainerCatalog.Empty, new CgroupTree(Linux.CgroupHierarchies.Load()), hot);
            hot.SetPredicate(predicate).Should().BeTrue();
            hot.SetSeconds(1).Should().BeTrue();
            Compare(agent, ["hotproc"], KnownDifferences.HotProcesses, prepare: pmcd =>
            {
                pmcd.Tool("/usr/bin/pmstore", ["hotproc.control.config", predicate]).Succeeded();
                pmcd.Tool("/usr/bin/pmstore", ["hotproc.control.refresh", "1"]).Succeeded();
                Until(() => pmcd.Ask("hotproc.nprocs")["hotproc.nprocs"].Values[""] == "2" && hot.Processes.Count == 2);
                return null;
            });
        }
        finally
        {
            first.Kill();
            second.Kill();
            first.WaitForExit();
            second.WaitForExit();
        }
    }

    [Fact]
    public void Gives_what_pmcd_gives_of_itself_its_loggers_and_rules()
    {
        Assert.SkipWhen(RealPmcd.Missing is not null, RealPmcd.Missing ?? "");
        using var folder = new TestFolder();
        foreach (var kind in new[] { "pmlogger", "pmie" })
        {
            Directory.CreateDirectory(folder.At(kind));
        }

        var config = folder.Write("logger.config", "log mandatory on 1 sec { kernel.all.load }\n");
        var rules = folder.Write("rules", "a = kernel.all.nprocs < 0 -> shell \"true\";\nb = kernel.all.nprocs >= 0 -> shell \"true\";\n");
        var door = new DoorState([], TimeProvider.System, _ => { }) { RegisterFolder = folder.Path };
        Compare(door.Catalog.Agents[0], ["pmcd"], KnownDifferences.Pmcd, new() { ["PCP_TMP_DIR"] = folder.Path }, prepare: pmcd =>
        {
            var tools = new ToolProcesses(
                pmcd.StartTool("/usr/bin/pmlogger", ["-P", "-U", "root", "-c", config, "-l", folder.At("log"), folder.At("archive")], folder.Path, folder.Path),
                pmcd.StartTool("/usr/bin/pmie", ["-U", "root", "-c", rules, "-l", folder.At("pmie.log"), "-t", "1"], folder.Path, folder.Path));
            Until(() => pmcd.Ask("pmcd.pmlogger.archive", "pmcd.pmie.eval.actual") is var found && found["pmcd.pmlogger.archive"].Values.Count == 2 && found["pmcd.pmie.eval.actual"].Values.GetValueOrDefault(tools.Second, "0") != "0");
            return tools;
        });
    }

    // Programs say nothing when they are ready; asking is the only way to know.
    private static void Until(Func<bool> isReady)
    {
        for (var attempt = 0; !isReady(); attempt++)
        {
            attempt.Should().BeLessThan(150, "the program should be ready by now");
            ProgramRun.Of("/bin/sleep", ["0.2"]);
        }
    }

    private void Compare(IMetricAgent agent, string[] trees, IReadOnlyList<KnownDifference> known, Dictionary<string, string>? environment = null, Func<RealPmcd, IDisposable?>? prepare = null)
    {
        using var pmcd = RealPmcd.Start(environment);
        using var prepared = prepare?.Invoke(pmcd);
        var labels = Labels(agent, pmcd, trees).ToList();
        var unexplained = Explain(Round(agent, pmcd, trees, out var metrics).Concat(labels), known, output.WriteLine);
        for (var round = 1; round < Rounds && unexplained.Count > 0; round++)
        {
            // What moves while it is read differs here and there; what is wrong differs each time.
            var again = Explain(Round(agent, pmcd, trees, out metrics).Concat(labels), known, _ => { });
            unexplained = [.. again.IntersectBy(unexplained.Select(What), What)];
        }

        output.WriteLine($"{metrics} metrics of pmcd, {agent.Metrics.Count} of ours");
        unexplained.Should().BeEmpty();

        static string What(string difference) => difference[..difference.IndexOf(": ", StringComparison.Ordinal)];
    }

    private static List<string> Explain(IEnumerable<string> differences, IReadOnlyList<KnownDifference> known, Action<string> write)
    {
        var unexplained = new List<string>();
        foreach (var difference in differences)
        {
            var reason = known.Concat(KnownDifferences.Labels).FirstOrDefault(k => k.Matches(difference))?.Reason;
            write($"{difference}   [{reason ?? "UNEXPLAINED"}]");
            if (reason is null)
            {
                unexplained.Add(difference);
            }
        }

        return unexplained;
    }

    private static List<string> Round(IMetricAgent agent, RealPmcd pmcd, string[] trees, out int metrics)
    {
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

        metrics = theirs.Count;
        return differences;
    }

    // As a tool sees them: the text that pminfo makes of all levels.
    private static IEnumerable<string> Labels(IMetricAgent agent, RealPmcd pmcd, string[] trees)
    {
        using var door = new TestDoor(agent);
        var ours = PcpAnswers.ParseLabels(door.Local("/usr/bin/pminfo", ["-l", .. trees.Where(t => agent.Metrics.Any(m => m.Name.StartsWith(t, StringComparison.Ordinal)))]).Out);
        var differences = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (owner, theirs) in PcpAnswers.ParseLabels(pmcd.Info(["-l", .. trees]).Out))
        {
            // Instances and metrics that only one has are told of with their values; labels of a domain are those of all its metrics.
            var open = owner.IndexOf('[', StringComparison.Ordinal);
            var metric = agent.Metrics.FirstOrDefault(m => m.Name == (open < 0 ? owner : owner[..open]));
            if (metric is null || !ours.TryGetValue(owner, out var own) || own == theirs)
            {
                continue;
            }

            var where = metric.Instances == InstanceDomainId.None ? metric.Name : metric.Instances + (open < 0 ? "" : owner[open..]);
            var (left, right) = (JsonNode.Parse(own)!.AsObject(), JsonNode.Parse(theirs)!.AsObject());
            foreach (var name in left.Concat(right).Select(l => l.Key).Distinct().Where(n => left[n]?.ToJsonString() != right[n]?.ToJsonString()))
            {
                differences.Add($"label {name} of {where}: {left[name]?.ToJsonString() ?? "none"}, pmcd has {right[name]?.ToJsonString() ?? "none"}");
            }
        }

        return differences;
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

    /// <summary>Two tools that are ended with it.</summary>
    private sealed class ToolProcesses(Process first, Process second) : IDisposable
    {
        public string Second { get; } = second.Id.ToString(CultureInfo.InvariantCulture);

        public void Dispose()
        {
            foreach (var process in new[] { first, second })
            {
                // SIGTERM, so that they take what they have registered away.
                ProgramRun.Of("/bin/kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
                process.WaitForExit();
                process.Dispose();
            }
        }
    }
}
