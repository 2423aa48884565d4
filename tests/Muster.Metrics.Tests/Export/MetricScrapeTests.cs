using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Export;
using Muster.Metrics.Names;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Export;

public sealed class MetricScrapeTests
{
    private readonly SampleAgent _agent = new();
    private readonly DoorState _door;

    public MetricScrapeTests() => _door = new DoorState([_agent], TimeProvider.System, _ => { });

    private string Scrape(ExpositionFormat format, params string[] names) => Scrape(_door, format, MetricView.Host, names);

    private static string Scrape(DoorState door, ExpositionFormat format, MetricView view, params string[] names)
    {
        using var buffer = new TextBuffer();
        using var scrape = new ScrapeText(door, names, view, format);
        scrape.Write(buffer, int.MaxValue).Should().BeFalse();
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }

    [Fact]
    public void Writes_OpenMetrics_with_units_labels_and_an_end() => Scrape(ExpositionFormat.OpenMetrics, "network.interface.in.bytes", "sample.long", "kernel.all.load").Should().Be("""
        # TYPE network_interface_in_bytes counter
        # UNIT network_interface_in_bytes bytes
        # HELP network_interface_in_bytes bytes received
        network_interface_in_bytes_total{instname="lo",interface="lo",indom_name="per interface",device_type="interface"} 5000000000
        network_interface_in_bytes_total{instname="eth0",interface="eth\"0",indom_name="per interface",device_type="interface"} 5000000003
        # TYPE sample_long_bytes gauge
        # UNIT sample_long_bytes bytes
        # HELP sample_long_bytes a small number below nothing
        sample_long_bytes -9216000000000
        # TYPE kernel_all_load gauge
        # HELP kernel_all_load 1, 5 and 15 minute load average
        kernel_all_load{instname="1 minute"} 3.62
        kernel_all_load{instname="5 minute"} 2.79
        kernel_all_load{instname="15 minute"} 1.2
        # EOF

        """);

    [Fact]
    public void Writes_Prometheus_text_with_the_samples_own_names() => Scrape(ExpositionFormat.Prometheus, "network.interface.in.bytes", "kernel.uname.nodename").Should()
        .Contain("# TYPE network_interface_in_bytes_total counter\n# HELP network_interface_in_bytes_total bytes received\n").And.NotContain("# UNIT").And.NotContain("# EOF")
        .And.EndWith("# TYPE kernel_uname_nodename_info gauge\n# HELP kernel_uname_nodename_info host name of this node on the network\nkernel_uname_nodename_info{value=\"vm\"} 1\n");

    [Fact]
    public void Leaves_out_what_has_no_values_and_what_a_format_cannot_tell()
    {
        var text = Scrape(ExpositionFormat.OpenMetrics, "sample");
        text.Should().NotContain("sample_none").And.NotContain("sample_broken").And.NotContain("sample_event").And.NotContain("sample_bytes_").And.Contain("sample_double_seconds 0.125");
        Scrape(_door, ExpositionFormat.OpenMetrics, new MetricView(), "sample").Should().NotContain("sample_private");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Says_the_same_in_pieces_of_any_length(int length)
    {
        var pieces = new StringBuilder();
        string[] steady = ["network", "sample", "kernel"];
        using var scrape = new ScrapeText(_door, steady, MetricView.Host, ExpositionFormat.OpenMetrics);
        for (var more = true; more;)
        {
            using var piece = new TextBuffer();
            more = scrape.Write(piece, length);
            pieces.Append(Encoding.UTF8.GetString(piece.Written.Span));
        }

        pieces.ToString().Should().Be(Scrape(ExpositionFormat.OpenMetrics, steady));
    }

    [Fact]
    public void Keeps_two_metrics_from_becoming_one_family()
    {
        _agent.Metrics =
        [
            new("sample.stored_x", MetricId.Of(60, 100, 1), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "one"),
            new("sample.stored.x", MetricId.Of(60, 100, 2), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "other"),
        ];
        var door = new DoorState([new Fixed(_agent.Metrics)], TimeProvider.System, _ => { });
        Scrape(door, ExpositionFormat.OpenMetrics, MetricView.Host, "sample").Split('\n').Count(l => l == "sample_stored_x 1").Should().Be(1);
    }

    [Fact]
    public void Refuses_unknown_names() =>
        FluentActions.Invoking(() => Scrape(ExpositionFormat.OpenMetrics, "no.such")).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.NotFound);

    [Theory]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", ExpositionFormat.OpenMetrics)]
    [InlineData("application/openmetrics-text", ExpositionFormat.OpenMetrics)]
    [InlineData("text/plain,application/openmetrics-text;q=0.5", ExpositionFormat.Prometheus)]
    [InlineData("application/openmetrics-text;version=9.0.0", ExpositionFormat.Prometheus)]
    [InlineData("*/*", ExpositionFormat.Prometheus)]
    [InlineData("", ExpositionFormat.Prometheus)]
    [InlineData(null, ExpositionFormat.Prometheus)]
    public void Chooses_the_format_that_is_preferred(string? accept, ExpositionFormat expected) => MetricScrape.Negotiate(accept).Should().Be(expected);

    [Theory]
    [InlineData("a.b", "", true, "a_b")]
    [InlineData("a.b.total", "", true, "a_b")]
    [InlineData("a.bytes", "bytes", true, "a_bytes")]
    [InlineData("a.read_bytes", "bytes", true, "a_read_bytes")]
    [InlineData("a.cpu.user", "seconds", true, "a_cpu_user_seconds")]
    [InlineData("a.total", "seconds", false, "a_total_seconds")]
    public void Names_families(string name, string unit, bool isCounter, string expected) => OpenMetricsWriter.FamilyName(name, unit, isCounter).Should().Be(expected);

    [Fact]
    public void Escapes_any_label_so_that_it_can_be_read_back() => Gen.String[Gen.Char['\x01', '\u2fff'], 0, 30].Sample(value =>
    {
        var text = Encoding.UTF8.GetString(OpenMetricsWriter.Labels([new("a-b", value), new("a_b", "again")]));
        text.Should().StartWith("a_b=\"").And.EndWith("\"").And.NotContain("\n");
        text[5..^1].Replace("\\\\", "\x01\x01", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\x01\x01", "\\", StringComparison.Ordinal).Should().Be(value);
    }, iter: 500);

    [Theory]
    [InlineData("unix")]
    [InlineData("known")]
    public void Is_found_good_by_promtool(string who)
    {
        if (!File.Exists("/usr/local/bin/promtool") && !File.Exists("/usr/bin/promtool"))
        {
            Assert.Skip("promtool is not installed: eng/bootstrap.sh --tests fetches it");
        }

        var text = Scrape(_door, ExpositionFormat.Prometheus, who == "unix" ? MetricView.Host : new MetricView());
        var run = ProgramRun.Of("promtool", ["check", "metrics"], text);

        // It also has opinions on style, status 3; what does not parse is status 1.
        run.Status.Should().BeOneOf(0, 3);
        (run.Out + run.Error).Should().NotContain("error while linting").And.NotContain("text format parsing error");
    }

    /// <summary>Gives 1 for each of its metrics.</summary>
    private sealed class Fixed(IReadOnlyList<MetricDescriptor> metrics) : IMetricAgent
    {
        public string Name => "fixed";

        public int Domain => 60;

        public int Generation => 0;

        public IReadOnlyList<MetricDescriptor> Metrics => metrics;

        public IReadOnlyList<InstanceDomain> InstanceDomains => [];

        public IReadOnlyList<MetricInstance> GetInstances(InstanceDomainId domain, MetricView view) => [];

        public void Collect(ReadOnlySpan<MetricDescriptor> asked, MetricView view, ReadOnlySpan<ValueSet> values)
        {
            foreach (var set in values)
            {
                set.Add(MetricValue.From(1L));
            }
        }

        public IReadOnlyList<KeyValuePair<string, string>> GetLabels(LabelTarget target, MetricView view) => [];
    }
}
