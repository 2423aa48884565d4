using Muster.TestKit;

namespace Muster.Metrics.Tests.Door;

/// <summary>PCP's own tools, from Debian's packages, against our door.</summary>
public sealed class PcpToolTests : IDisposable
{
    private readonly TestDoor _door = new();

    public void Dispose() => _door.Dispose();

    [Fact]
    public void Pminfo_shows_values_over_TCP()
    {
        var run = _door.Remote("pminfo", "-f", "kernel.all.load", "sample").Succeeded();
        run.Out.Should().ContainAll("inst [1 or \"1 minute\"] value 3.6", "inst [15 or \"15 minute\"] value 1.2", "value -42", "value 4000000000", "value 0.125", "value -9000000000", "[01020304", "No value(s) available!", "Try again. Information not currently available");
    }

    [Fact]
    public void Pminfo_shows_values_over_the_socket()
    {
        var run = _door.Local("pminfo", "-f", "kernel.all.load", "network.interface.in.bytes", "sample.private").Succeeded();
        run.Out.Should().ContainAll("inst [3 or \"eth0\"] value 5000000003", "value 0");
    }

    [Fact]
    public void Pminfo_finds_the_socket_that_PMCD_SOCKET_names() =>
        _door.Tool("pminfo", ["-f", "kernel.uname.nodename"]).Succeeded().Out.Should().Contain("value \"vm\"");

    [Fact]
    public void Pminfo_shows_descriptors_numbers_and_texts()
    {
        var run = _door.Remote("pminfo", "-dmtT", "network.interface.in.bytes", "sample.unsigned").Succeeded();
        run.Out.Should().ContainAll("60.3.0", "[bytes received]", "Data Type: 64-bit unsigned int  InDom: 60.3 0xf000003", "Semantics: counter  Units: byte", "Since the interface came up.", "Units: millisec / count");
    }

    [Fact]
    public void Pminfo_shows_labels()
    {
        var run = _door.Remote("pminfo", "-l", "network.interface.in.bytes").Succeeded();
        run.Out.Should().ContainAll("\"agent\":\"linux\"", "\"indom_name\":\"per interface\"", "inst [0 or \"lo\"] labels {", "\"interface\":\"lo\"", "\"interface\":\"eth\\\"0\"", "\"hostname\":\"" + Muster.Metrics.Door.HostFacts.HostName);
    }

    [Fact]
    public void Pminfo_walks_the_whole_tree_and_decodes_events()
    {
        _door.Remote("pminfo").Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(n => !n.StartsWith("event.", StringComparison.Ordinal)).Should().BeEquivalentTo(_door.Door.Catalog.Current.All.Select(m => m.Name));
        var events = _door.Remote("pminfo", "-x", "sample.event", "sample.highres").Succeeded().Out;
        events.Should().ContainAll("2 event records", "sample.signed", "value -3", "5 missed event");
    }

    [Fact]
    public void Pminfo_says_what_is_unknown()
    {
        _door.Remote("pminfo", "-f", "no.such.metric").Error.Should().Contain("Unknown metric name");
        _door.Remote("pminfo", "-f", "kernel").Succeeded();
    }

    [Fact]
    public void Pminfo_sees_with_a_containers_eyes()
    {
        _door.Remote("pminfo", "--container", "box", "-f", "network.interface.in.bytes").Succeeded().Out.Should().Contain("\"lo\"").And.NotContain("eth0");
        _door.Remote("pminfo", "--container", "nosuch", "-f", "network.interface.in.bytes").Out.Should().Contain("Container not found");
        _door.Local("pminfo", "--container", "box", "-l", "kernel.uname.nodename").Succeeded().Out.Should().ContainAll("\"container\":\"box\"", "\"userid\":0", "\"groupid\":0");
    }

    [Fact]
    public void Pmprobe_counts_values_and_instances()
    {
        _door.Remote("pmprobe", "-v", "kernel.all.load").Succeeded().Out.Should().StartWith("kernel.all.load 3 3.6");
        _door.Remote("pmprobe", "-I", "kernel.all.load").Succeeded().Out.Should().Contain("\"1 minute\" \"5 minute\" \"15 minute\"");
        _door.Remote("pmprobe", "sample.broken").Out.Should().Contain("sample.broken -12389");
    }

    [Fact]
    public void Pmval_shows_chosen_instances()
    {
        var run = _door.Remote("pmval", "-s", "2", "-t", "0.05", "-i", "1", "kernel.all.load").Succeeded();
        run.Out.Should().ContainAll("semantics: instantaneous value", "3.6");
        _door.Door.Clients.Sequence.Should().BePositive();
        _door.Remote("pmval", "-s", "1", "-i", "minute", "kernel.all.load").Status.Should().NotBe(0);
    }

    [Fact]
    public void Pmstore_changes_what_may_be_changed()
    {
        _door.Local("pmstore", "sample.stored", "99").Succeeded().Out.Should().Contain("sample.stored old value=7 new value=99");
        _door.Agent.Stored.Should().Be(99);
        var remote = _door.Remote("pmstore", "sample.stored", "5");
        (remote.Out + remote.Error).Should().Contain("No permission");
        var closed = _door.Local("pmstore", "kernel.uname.nodename", "x");
        (closed.Out + closed.Error).Should().Contain("No permission");
        _door.Agent.Stored.Should().Be(99);
    }

    [Fact]
    public void Pmrep_reports()
    {
        var run = Python("/usr/bin/pmrep", "-h", "localhost", "-s", "2", "-t", "0.1", "-o", "csv", "kernel.all.load", "sample.signed");
        run.Out.Should().ContainAll("kernel.all.load-1 minute", "3.620", "-42");
    }

    [Fact]
    public void Pmlogger_records_an_archive_that_the_tools_read()
    {
        File.WriteAllText(Path.Combine(_door.Folder, "config"), "log mandatory on 100 msec { kernel.all.load network.interface.in.bytes kernel.uname.nodename }\n");
        _door.Tool("pmlogger", ["-c", "config", "-h", "localhost", "-s", "3", "-l", "pmlogger.log", Path.Combine(_door.Folder, "archive")], new Dictionary<string, string> { ["PMLOGGER_PORT"] = "0", ["PCP_RUN_DIR"] = _door.Folder }).Succeeded();
        var archive = Path.Combine(_door.Folder, "archive");
        ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of("pminfo", ["-a", archive, "-fdtl", "network.interface.in.bytes", "kernel.all.load"]).Succeeded().Out.Should().ContainAll("5000000003", "inst [1 or \"1 minute\"] value 3.6", "\"interface\":\"lo\"", "[bytes received]");
        ProgramRun.Of("pmdumplog", ["-L", archive]).Succeeded().Out.Should().Contain(Muster.Metrics.Door.HostFacts.HostName);
    }

    [Fact]
    public void Pmie_evaluates_rules()
    {
        File.WriteAllText(Path.Combine(_door.Folder, "rules"), "high = kernel.all.load #'1 minute' > 3;\n");
        var run = _door.Tool("pmie", ["-h", "localhost", "-T", "0.5", "-t", "0.1", "-v", "-c", "rules", "-l", "-"]);
        (run.Out + run.Error).Should().Contain("high");
        (run.Out + run.Error).Should().Contain("true");
    }

    [Fact]
    public void Pcp_summarises()
    {
        var run = _door.Tool("pcp", ["-h", "localhost"]);
        (run.Out + run.Error).Should().Contain("pmcd").And.Contain("linux");
        run.Status.Should().Be(0);
    }

    private ProgramRun Python(string script, params string[] words) =>
        _door.Tool("/usr/bin/python3", [script, .. words], new Dictionary<string, string> { ["PYTHONPATH"] = "/usr/lib/python3/dist-packages" }).Succeeded();
}
