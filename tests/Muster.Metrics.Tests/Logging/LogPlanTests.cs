using CsCheck;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Logging;

namespace Muster.Metrics.Tests.Logging;

public sealed class LogPlanTests
{
    [Fact]
    public void Reads_YAML()
    {
        var plan = LogPlan.Parse("""
            log:
              - every: 10s
                metrics: [kernel.all.load, container]
                instances: ["1 minute", web*]
              - {every: once, metrics: [hinv]}
            containers: {only: [web*], except: [web-test]}
            rotate: {size: 10Mi, every: 12h}
            compress: none
            keep: {age: 30d, size: 2Gi}
            sync: 30s
            version: 2
            """, "log.yaml");
        plan.Groups.Should().HaveCount(2);
        plan.Groups[0].Interval.Should().Be(TimeSpan.FromSeconds(10));
        plan.Groups[0].Instances.Should().Equal("1 minute", "web*");
        plan.Groups[1].Interval.Should().BeNull();
        (plan.VolumeSize, plan.ArchiveSpan, plan.Compression, plan.KeepAge, plan.KeepSize, plan.SyncInterval, plan.Version).Should().Be((10L << 20, TimeSpan.FromHours(12), ArchiveCompression.None, TimeSpan.FromDays(30), 2L << 30, TimeSpan.FromSeconds(30), ArchiveVersion.V2));
        plan.WantsContainer("web-1").Should().BeTrue();
        plan.WantsContainer("web-1/nginx").Should().BeTrue();
        plan.WantsContainer("web-test").Should().BeFalse();
        plan.WantsContainer("db").Should().BeFalse();
    }

    [Fact]
    public void Reads_pmloggers_language()
    {
        var plan = LogPlan.Parse("""
            # a comment
            log mandatory on 100 msec { kernel.all.load [ "1 minute", "15 minute" ] kernel.all.cpu
              disk }
            log advisory on default { mem }
            mandatory on every 2 min network.interface.in.bytes
            log mandatory on once { hinv.ncpu, hinv.ndisk }
            log mandatory off { proc }
            [access]
            disallow * : all;
            """, "config");
        plan.Groups.Select(g => (g.Interval?.TotalSeconds, string.Join(' ', g.Metrics), string.Join('|', g.Instances))).Should().Equal(
            (0.1, "kernel.all.load", "1 minute|15 minute"), (0.1, "kernel.all.cpu disk", ""), (60, "mem", ""), (120, "network.interface.in.bytes", ""), (null, "hinv.ncpu hinv.ndisk", ""));
        plan.Warnings.Should().ContainSingle().Which.Should().Contain("[access]");
    }

    [Theory]
    [InlineData("log: []", "1 to")]
    [InlineData("log: [{metrics: [a]}]", "no every")]
    [InlineData("log:\n- {every: 1s, metrics: [a]}\n- {every: 1s}", "line 3: this entry of log has no metrics")]
    [InlineData("log: [{every: 1ms, metrics: [a]}]", "below")]
    [InlineData("log: [{every: 1s, metrics: [a]}]\ncompress: gzip", "line 2: compress is \"gzip\", and can be xz, zstd or none")]
    [InlineData("log: [{every: 1s, metrics: [a]}]\nnonsense: 1", "nonsense")]
    [InlineData("log: [{every: 1s, metrics: [a]}]\nrotate: {every: 0s}", "longer than nothing")]
    [InlineData("log mandatory on 5 parsecs { a }", "no unit")]
    [InlineData("log mandatory on 5 sec { a", "expected")]
    [InlineData("log mandatory on 5 sec { 9a }", "no name")]
    [InlineData("log sometimes { a }", "on, off or maybe")]
    [InlineData("metrics please", "begins with \"metrics please\", which is neither YAML")]
    [InlineData("%include \"nosuch.file\"", "line 1: there is no nosuch.file")]
    [InlineData("%shell \"id\"", "runs a program")]
    [InlineData("\n%ifdef a\nlog mandatory on once { a }", "line 2: this %ifdef")]
    [InlineData("log mandatory on 5 sec { a [ \"b ] }", "not closed")]
    [InlineData("log mandatory off { a }", "logs nothing")]
    [InlineData("", "empty")]
    public void Refuses_what_is_wrong(string text, string why) =>
        FluentActions.Invoking(() => LogPlan.Parse(text, "file")).Should().Throw<MusterException>().Which.Message.Should().Contain(why).And.NotContain("\n");

    [Fact]
    public void Any_words_are_a_plan_or_refused()
    {
        var words = Pick("log", "mandatory", "advisory", "on", "off", "maybe", "every", "once", "default", "5", "sec", "msec", "{", "}", "[", "]", ",", "a.b", "\"x\"", "\"", "#", "\n", "[access]", ":", "-", ";", "\n%define x once\n", "%x", "\n%ifdef x\n", "\n%else\n", "\n%endif\n", "allow", "all", "12x");
        words.Array[0, 25].Sample(parts =>
        {
            try
            {
                _ = LogPlan.Parse("log " + string.Join(' ', parts), "file");
            }
            catch (MusterException e)
            {
                e.Kind.Should().BeOneOf(ErrorKind.Invalid, ErrorKind.Usage);
            }
        }, iter: 3000);
    }

    private static Gen<string> Pick(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);
}
