using Muster.TestKit;

namespace Muster.Daemon.Tests;

/// <summary>The tools that look at a whole host, against musterd with its real agents.</summary>
public sealed class PcpToolBatteryTests(RunningDaemon daemon) : IClassFixture<RunningDaemon>
{
    [Theory]
    [InlineData("pmstat", "-h localhost -s 2 -t 0.2", "loadavg")]
    [InlineData("pcp", "-h localhost", "pmda: root pmcd proc linux")]
    [InlineData("pcp", "-h localhost mpstat -s 2 -t 0.2", "all")]
    [InlineData("pcp", "-h localhost iostat -s 2 -t 0.2", "rrqm/s")]
    [InlineData("pcp", "-h localhost uptime", "load average")]
    [InlineData("pcp", "-h localhost numastat", "numa_hit")]
    [InlineData("pcp", "pidstat -s 2 -t 0.2", "Command")]
    [InlineData("pcp", "-h localhost dstat --nocolor 1 2", "total-usage")]
    [InlineData("pcp", "-h localhost atop 1 1", "CPL | numcpu")]
    [InlineData("pcp", "-h localhost free", "Mem:")]
    [InlineData("pcp", "-h localhost ipcs -l", "max seg size")]
    [InlineData("pmrep", "-h localhost -s 2 -t 0.2 -o csv kernel.all.load mem.util.free", "mem.util.free")]
    [InlineData("pmval", "-h localhost -s 2 -t 0.2 kernel.all.pswitch", "rate")]
    [InlineData("pmprobe", "-h localhost -I kernel.all.load", "\"1 minute\"")]
    public void Runs(string tool, string words, string expected)
    {
        var run = daemon.Tool(tool, words.Split(' '));
        (run.Out + run.Error).Should().Contain(expected).And.NotContain("Unknown metric name").And.NotContain("Traceback");
        run.Status.Should().Be(0);
    }

    [Fact]
    public void Opens_no_address_that_a_file_of_its_folder_or_the_environment_names()
    {
        using var client = new System.Net.Sockets.TcpClient();
        FluentActions.Invoking(() => client.Connect(System.Net.IPAddress.Loopback, daemon.ForeignPort)).Should().Throw<System.Net.Sockets.SocketException>();
        ProgramRun.Of("curl", ["-s", "--unix-socket", daemon.Socket, "http://localhost/metrics?names=mem.physmem"]).Out.Should().Contain("mem_physmem");
    }

    [Fact]
    public void Shows_processes_to_a_known_peer_alone()
    {
        daemon.Tool("pminfo", "-f", "proc.psinfo.pid").Succeeded().Out.Should().Contain("inst [1 or \"");
        daemon.Tool("pminfo", "-h", "localhost", "-f", "proc.psinfo.pid").Out.Should().NotContain("inst [1 or \"");
        ProgramRun.Of("curl", ["-s", "--unix-socket", daemon.Socket, "http://localhost/metrics?names=proc.psinfo.pid"]).Out.Should().Contain("proc_psinfo_pid{");
    }

    [Fact]
    public void Records_an_archive_of_the_whole_host()
    {
        var config = Path.Combine(daemon.Folder, "config");

        // Of metrics with instances that libpcp derives itself (disk.dev.await) this pmlogger writes a page about each sample into
        // its log and looks up every name for it, with pmcd too: tens of seconds.
        File.WriteAllText(config, "log mandatory on 200 msec { kernel mem disk.all disk.partitions network hinv }\n");
        var archive = Path.Combine(daemon.Folder, "archive");
        daemon.Tool("pmlogger", "-h", "localhost", "-c", config, "-s", "3", "-l", Path.Combine(daemon.Folder, "pmlogger.log"), archive).Succeeded();
        ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        ProgramRun.Of("pmrep", ["-a", archive, "-o", "csv", "kernel.all.load"], environment: new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["PYTHONPATH"] = "/usr/lib/python3/dist-packages" }).Succeeded().Out.Should().Contain("kernel.all.load-1 minute");
    }

    [Fact]
    public void Tells_every_metric_in_text_that_promtool_reads()
    {
        if (!File.Exists("/usr/local/bin/promtool") && !File.Exists("/usr/bin/promtool"))
        {
            Assert.Skip("promtool is not installed: eng/bootstrap.sh --tests fetches it");
        }

        var text = ProgramRun.Of("curl", ["-s", "--unix-socket", daemon.Socket, "http://localhost/metrics"]).Succeeded().Out;
        text.Should().Contain("kernel_all_load{").And.NotContain("\nproc_");
        var run = ProgramRun.Of("promtool", ["check", "metrics"], text);

        // 3 is an opinion on names, which are PCP's.
        run.Status.Should().BeOneOf([0, 3], run.Error);
    }

    [Fact]
    public void Answers_behind_pmproxy()
    {
        using var proxy = ProgramRun.Start("/usr/lib/pcp/bin/pmproxy", ["-f", "-t", "-p", $"{daemon.Port + 1}", "-s", Path.Combine(daemon.Folder, "proxy.socket"), "-l", Path.Combine(daemon.Folder, "proxy.log")], new Dictionary<string, string> { ["PCP_RUN_DIR"] = daemon.Folder });
        try
        {
            string Fetch() => ProgramRun.Of("curl", ["-s", $"http://127.0.0.1:{daemon.Port + 1}/pmapi/fetch?hostspec=localhost:{daemon.Port}&names=kernel.all.load"]).Out;
            TestRoot.Until(() => proxy.HasExited || Fetch().Contains("values", StringComparison.Ordinal), "pmproxy answers");
            Fetch().Should().Contain("\"pmid\":\"60.2.0\"");
        }
        finally
        {
            proxy.Kill();
            proxy.WaitForExit();
        }
    }
}
