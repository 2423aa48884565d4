using System.Diagnostics;
using Muster.TestKit;

namespace Muster.Daemon.Tests;

/// <summary>musterd is killed while it records; PCP's own tools judge what is left.</summary>
public sealed class KilledLoggerTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("muster-killed-").FullName;
    private Process? _daemon;

    public void Dispose()
    {
        Kill();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Loses_at_most_the_last_sample_and_the_next_start_goes_on()
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.WriteAllText(Path.Combine(_root, "log.yaml"), "log: [{every: 20ms, metrics: [kernel.all, mem.util]}]\nrotate: {size: 64Ki}\n");
        File.WriteAllText(Path.Combine(_root, "etc", "muster.yaml"), $"metrics:\n  log: {_root}/log.yaml\n  log-folder: {_root}/archives\n");
        var recorded = new Dictionary<string, int>();
        for (var round = 0; round < 4; round++)
        {
            _daemon = ProgramRun.Start(Path.Combine(AppContext.BaseDirectory, "musterd"), ["--root", _root]);
            TestRoot.Until(() => _daemon.HasExited || Archives().Except(recorded.Keys).Any(a => Samples(a) > 40), "musterd records");
            _daemon.HasExited.Should().BeFalse();
            var current = Archives().Except(recorded.Keys).Should().ContainSingle("a start begins one archive").Subject;
            var before = Samples(current);
            Kill();
            recorded.Add(current, before);
        }

        // The last start puts right what the kill before it left.
        _daemon = ProgramRun.Start(Path.Combine(AppContext.BaseDirectory, "musterd"), ["--root", _root]);
        TestRoot.Until(() => _daemon.HasExited || (Archives().Count > recorded.Count && Samples(Archives().Except(recorded.Keys).First()) > 5), "musterd records again");
        foreach (var (archive, samples) in recorded)
        {
            Samples(archive).Should().BeGreaterThanOrEqualTo(samples, "what was there before the kill is there after it");
            ProgramRun.Of("pmlogcheck", [archive]).Succeeded().Out.Should().BeEmpty();
        }
    }

    private static int Samples(string archive) => ProgramRun.Of("pmdumplog", [archive]).Out.Split("kernel.all.intr").Length - 1;

    private List<string> Archives() => Directory.Exists(Path.Combine(_root, "archives"))
        ? [.. Directory.GetFiles(Path.Combine(_root, "archives"), "*.meta").Select(f => f[..^".meta".Length]).Order(StringComparer.Ordinal)]
        : [];

    private void Kill()
    {
        if (_daemon is { HasExited: false })
        {
            _daemon.Kill();
            _daemon.WaitForExit();
        }

        _daemon?.Dispose();
        _daemon = null;
    }
}
