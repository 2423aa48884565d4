using System.Globalization;
using System.Text.RegularExpressions;
using Muster.Core;
using Muster.Metrics.Archive;
using Muster.Metrics.Collecting;
using Muster.Metrics.Derived;
using Muster.Metrics.Door;
using Muster.Metrics.Export;
using Muster.Metrics.Names;
using Muster.Metrics.Reporting;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Derived;

/// <summary>The language beside the real libpcp (6.0.3): descriptors, values of records and of interpolated times, and what is refused.</summary>
public sealed partial class DerivedConformanceTests : IDisposable
{
    private static readonly string[] Taken =
    [
        "b.queue + 1",
        "b.free - b.used",
        "b.free + b.also * 2",
        "b.neg * b.queue",
        "b.neg - 3 + b.cpus",
        "b.wide + b.free",
        "b.wide - b.also",
        "b.free / b.used",
        "b.bytes / 1024",
        "100 * b.free / (b.free + b.used)",
        "b.real * 2",
        "b.real / b.real",
        "b.load * 2 + b.neg",
        "b.load + b.load",
        "-b.queue",
        "-b.free + b.also",
        "-3 * b.ops",
        "2 * b.bytes",
        "b.ops + b.ops",
        "b.bytes - b.bytes",
        "b.depth * b.ops",
        "b.free < b.also",
        "b.free <= 1500",
        "b.free == b.also",
        "b.free >= b.also",
        "b.ops > 25",
        "b.depth != 2",
        "b.depth > 0 != b.neg",
        "b.depth > 1 && b.depth < 8",
        "b.depth >= 7 || b.depth < 0 && b.neg > 0",
        "!b.depth > 1 || b.neg < 0",
        "!(b.free > b.also)",
        "b.free > b.also ? b.free : b.also",
        "b.depth > 0 ? b.depth : -1 * b.depth",
        "b.neg > 0 ? b.depth : -mkconst(1, type=32)",
        "b.neg > 0 ? mkconst(5, type=32, semantics=instant) : b.depth",
        "b.neg > 0 ? b.neg > 5 : b.neg < 0 ? b.free : b.also",
        "b.name",
        "avg(b.load)",
        "avg(b.depth)",
        "count(b.ops)",
        "count(b.free)",
        "max(b.depth)",
        "min(b.depth)",
        "max(b.load)",
        "sum(b.bytes)",
        "sum(b.load)",
        "delta(b.ops)",
        "delta(b.neg)",
        "delta(b.queue)",
        "delta(b.load)",
        "delta(b.wide)",
        "rate(b.ops)",
        "rate(b.busy)",
        "rate(b.cpu)",
        "rate(b.bytes) / rate(b.ops)",
        "delta(b.bytes) / delta(b.ops)",
        "rate(b.neg)",
        "rate(b.cpu) / b.cpus",
        "instant(b.bytes)",
        "instant(b.name)",
        "instant(b.bytes) / instant(b.ops)",
        "b.speed - rate(b.bytes)",
        "b.ops[eth0]",
        "b.ops[eth1]",
        "b.load[5 minute] * 3",
        "b.ops[nobody]",
        "matchinst(/^eth/, b.ops)",
        "matchinst(!/^(lo|eth1)$/, b.depth)",
        "matchinst(/[[:digit:]]$/, b.bytes) + b.bytes",
        "matchinst(!/\\//, b.bytes)",
        "matchinst(/h0\\/|lo/, b.bytes)",
        "scalar(b.ops[eth0]) + scalar(b.ops[lo])",
        "scalar(b.name)",
        "mkconst(10485760, units=Kbyte)",
        "mkconst(42, type=U64, semantics=\"Counter\", units=\"count x 10^3 / sec\")",
        "mkconst(1.5, type=float)",
        "b.free > mkconst(1200, units=Kbyte)",
        "rescale(b.used, \"Kbyte\")",
        "rescale(b.free, \"bytes\")",
        "rescale(b.real, \"ms\")",
        "rescale(rate(b.bytes), \"Mbytes/hour\")",
        "rescale(b.queue, \"count x 10^2\")",
        "defined(b.free)",
        "defined(no.such.metric)",
        "defined(b.free) && b.neg > 0",
        "anon(PM_TYPE_U32)",
        "b.flips * 2",
        "7",
        "1.5 + .5",
        "(b.free)",
        "b.wide / 0",
        "b.neg * 0 / 0",
    ];

    private static readonly string[] Refused =
    [
        "",
        "b.free +",
        "* b.free",
        "b.free b.also",
        "(b.free",
        "b.free)",
        "b.free ** 2",
        "1e3 * b.free",
        "4294967296 * b.free",
        "b.free = 3",
        "b.free & 1",
        "b.free ? 1",
        "b.free ? 1 :",
        "b.free % 2",
        "sum (b.load)",
        "foo(b.load)",
        "sum()",
        "mkconst(-1, type=32)",
        "sum(,)",
        "mkconst(b.free, type=32)",
        "mkconst(3)",
        "mkconst(3, type=STRING)",
        "mkconst(3, semantics=often)",
        "mkconst(3, units=\"parsecs\")",
        "mkconst(1.5, type=U32)",
        "mkconst(3, color=red)",
        "rescale(b.free, Mbyte)",
        "rescale(b.free, \"sec\")",
        "rescale(b.name, \"byte\")",
        "matchinst(eth, b.ops)",
        "matchinst(/eth/)",
        "matchinst(/(eth/, b.ops)",
        "matchinst(/eth, b.ops)",
        "b.ops[eth0",
        "mkconst(1, units=\"Kbyte)",
        "defined(b.free",
        "defined(3)",
        "type + 1",
        "no.such.metric * 2",
        "b.free + b.real",
        "b.ops + b.depth",
        "b.depth - b.ops",
        "b.ops * b.bytes",
        "1 / b.ops",
        "b.ops * b.free",
        "b.load + b.depth",
        "b.name + 1",
        "-b.name",
        "sum(b.name)",
        "rate(b.name)",
        "b.free && b.also",
        "b.free > 3 ? b.free : b.queue",
        "b.free > 3 ? b.free : b.used",
        "b.depth > 3 ? b.neg : b.cpus",
        "b.cpus == 2 ? b.free : b.cpus == 4 ? b.also : b.also",
        "b.depth > 3 ? b.free : b.also",
        "b.name ? b.free : b.also",
        "b.real < b.free",
        "rate(b.speed)",
    ];

    // What this takes and libpcp 6.0.3 does not, each for a reason.
    private static readonly (string Expression, string Reason)[] Beyond =
    [
        ("rate(b.free + b.also)", "PCP 7 has functions of expressions"),
        ("delta(b.ops) > 1 ? novalue() : delta(b.ops)", "PCP 7 has novalue()"),
        ("defined(no.such) ? no.such : b.free", "PCP 7 binds only the side that is chosen"),
        ("mkconst(1, meta=b.free)", "PCP 7 has meta="),
        ("mkconst(1, indom=450.1)", "PCP 7 has indom="),
        ("sum(rate(b.bytes))", "one function of another: what containers need first, and libpcp has no way to say"),
        ("sum(3)", "the same: a number is an expression"),
        ("matchinst(/eth/, b.bytes / 1024)", "pmRegisterDerived(3) says an expression; libpcp's scanner takes the second slash for a pattern"),
        ("b.free > 5.5", "pmRegisterDerived(3) says numbers without a dimension; libpcp means them and compares a type with a kind of node"),
    ];

    // What pmrep shows otherwise than libpcp has it, as pminfo -f shows: a comparison of a counter as a rate, U64 from 2^63 on as 0.
    private static readonly string[] ShownOtherwise = ["b.ops > 25", "b.depth * b.ops", "-b.free + b.also"];

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-derived-").FullName;
    private readonly string _archive;
    private readonly string _config;

    public DerivedConformanceTests()
    {
        _archive = Path.Combine(_folder, "archive");
        _config = Path.Combine(_folder, "derived.conf");
        OperandArchive.Write(_archive);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Describes_what_libpcp_describes()
    {
        var archives = Define(Taken);
        var described = Described(Tool("pminfo", "-d", "-a", _archive, "t").Succeeded().Out);
        var faults = new List<string>();
        for (var i = 0; i < Taken.Length; i++)
        {
            var (ours, theirs) = (archives.Names.Find(Name(i)) is { } metric ? Words(metric.Descriptor) : archives.Names.WhyNot(Name(i)), described.GetValueOrDefault(Name(i)));
            if (ours != theirs)
            {
                faults.Add($"{Taken[i]} is {ours} here, {theirs} there");
            }
        }

        faults.Should().BeEmpty(string.Join('\n', faults));
    }

    [Fact]
    public void Computes_what_libpcp_computes_from_record_to_record()
    {
        var archives = Define(Taken);
        var names = Enumerable.Range(0, Taken.Length).Where(i => !ShownOtherwise.Contains(Taken[i])).Select(Name).ToList();
        var rows = ArchiveReplay.Recorded(archives, names, new TimeWindow(archives.Start, archives.End), isRaw: true);
        var faults = Compare(rows, Table("-u", names), t => Array.FindIndex(OperandArchive.Times, at => OperandArchive.Start + at == t));

        // A rate of a counter that fell is unknown (as PCP 7 has it); nothing in these records falls but what is no counter.
        faults.Should().BeEmpty(string.Join('\n', faults));
    }

    [Fact]
    public void Computes_what_libpcp_computes_at_interpolated_times()
    {
        var archives = Define(Taken);
        var names = Enumerable.Range(0, Taken.Length).Where(i => !ShownOtherwise.Contains(Taken[i]) && archives.Names.Find(Name(i))!.Descriptor.Type != MetricType.String).Select(Name).ToList();

        // Not from the beginning: of scalar() of what has no value yet, libpcp dies.
        var (interval, first) = (TimeSpan.FromSeconds(1), archives.Start + TimeSpan.FromSeconds(1));
        var rows = ArchiveReplay.Interpolated(archives, names, new TimeWindow(first, archives.End), interval, isRaw: true).ToList();
        rows.RemoveAll(r => r.Time == first && Taken[Index(r.Metric)] is var e && (e.Contains("rate(") || e.Contains("delta(")));
        var faults = Compare(rows, Table("-S+1sec -t1", names), t => (int)Math.Round((t - first) / interval));
        faults.Should().BeEmpty(string.Join('\n', faults));
    }

    [Fact]
    public void Computes_what_libpcp_computes_where_its_reporter_shows_something_else()
    {
        var archives = Define(ShownOtherwise);
        string[] names = [.. Enumerable.Range(0, ShownOtherwise.Length).Select(Name)];
        var text = Tool("pminfo", ["-f", "-z", "-a", _archive, "-O", "+1sec", .. names]).Succeeded().Out;
        var theirs = Shown().Matches(text).Select(m => m.Groups[1].Value).ToList();
        var sets = archives.Read(archives.Start, archives.End, names.Select(n => archives.Names.Find(n)!.Descriptor.Id).ToHashSet()).ElementAt(1).Sample.Sets;
        var ours = names.Select(n => archives.Names.Find(n)!.Descriptor).SelectMany(d => sets.Single(s => s.Id == d.Id).Values).Select(v => v.Value.Unsigned.ToString(CultureInfo.InvariantCulture)).ToList();
        ours.Should().Equal(theirs).And.HaveCount(7);
    }

    [GeneratedRegex("value ([0-9]+)")]
    private static partial Regex Shown();

    [Fact]
    public void Refuses_what_libpcp_refuses_with_one_sentence()
    {
        var faults = new List<string>();
        foreach (var expression in Refused)
        {
            File.WriteAllText(_config, $"t.x = {expression}\n");
            if (Tool("pminfo", "-d", "-a", _archive, "t.x").Out.Contains("Data Type"))
            {
                faults.Add($"libpcp takes {expression}");
            }

            var refusal = Refusal(expression);
            if (refusal is null || refusal.Contains('\n') || (expression.Length > 0 && !PlaceOfFault().IsMatch(refusal)))
            {
                faults.Add($"{expression} is refused with: {refusal}");
            }
        }

        faults.Should().BeEmpty(string.Join('\n', faults));
    }

    [GeneratedRegex("at character [0-9]+: ")]
    private static partial Regex PlaceOfFault();

    [Fact]
    public void Takes_more_than_libpcp_for_a_reason()
    {
        foreach (var (expression, reason) in Beyond)
        {
            File.WriteAllText(_config, $"t.x = {expression}\n");
            Tool("pminfo", "-d", "-a", _archive, "t.x").Out.Should().NotContain("Data Type", $"{expression}: {reason}");
            Refusal(expression).Should().BeNull(expression);
        }
    }

    [Fact]
    public void Describes_the_same_at_the_live_door()
    {
        using var door = new TestDoor();
        string[] expressions =
        [
            "kernel.all.load * 2", "sum(kernel.all.load) - sample.stored", "rate(network.interface.in.bytes)", "delta(sample.unsigned)", "network.interface.in.bytes[lo]",
            "matchinst(/eth/, network.interface.in.bytes)", "sample.signed > 0 ? sample.double : sample.double * 2", "count(kernel.all.load)", "rescale(sample.long, \"Mbyte\")", "kernel.uname.nodename",
            "!(sample.stored > 5)", "avg(kernel.all.load)", "mkconst(3, type=64, units=\"byte / sec\")", "defined(sample.none)", "-sample.unsigned",
        ];
        File.WriteAllLines(_config, expressions.Select((e, i) => $"{Name(i)} = {e}"));
        var described = Described(door.Tool("pminfo", ["-d", "-h", $"unix://{door.SocketPath}", "t"], new Dictionary<string, string> { ["PCP_DERIVED_CONFIG"] = _config }).Succeeded().Out);
        var definitions = new DerivedDefinitions(TimeProvider.System);
        definitions.AddFiles(_config).Should().BeEmpty();
        var names = door.Door.Catalog.With(definitions).Current;
        var contexts = new PmapiContexts(door.Door);
        var context = System.Text.Json.JsonDocument.Parse(contexts.Answer("context", new Dictionary<string, string>(), MetricView.Host).Json).RootElement.GetProperty("context").GetInt32();
        for (var i = 0; i < expressions.Length; i++)
        {
            var metric = names.Find(Name(i))!.Descriptor;
            Words(metric).Should().Be(described[Name(i)], expressions[i]);
            contexts.Answer($"{context}/derive", new Dictionary<string, string> { ["name"] = Name(i), ["expr"] = expressions[i] }, MetricView.Host).Status.Should().Be(200);
            var told = System.Text.Json.JsonDocument.Parse(contexts.Answer($"{context}/metric", new Dictionary<string, string> { ["name"] = Name(i) }, MetricView.Host).Json).RootElement.GetProperty("metrics")[0];
            told.GetProperty("type").GetString().Should().Be(PmapiJson.TypeName(metric.Type), expressions[i]);
            told.GetProperty("sem").GetString().Should().Be(PmapiJson.SemanticsName(metric.Semantics), expressions[i]);
            told.GetProperty("units").GetString().Should().Be(PmapiJson.UnitsName(metric.Units), expressions[i]);
        }
    }

    private static string Name(int i) => $"t.x{i:000}";

    private static int Index(string name) => int.Parse(name.AsSpan(3, 3), CultureInfo.InvariantCulture);

    private ProgramRun Tool(string tool, params string[] words) =>
        ProgramRun.Of(tool, words, environment: new Dictionary<string, string> { ["PCP_DERIVED_CONFIG"] = _config, ["TZ"] = "UTC", ["PATH"] = "/usr/bin:/bin", ["PYTHONPATH"] = "/usr/lib/python3/dist-packages" }, folder: _folder);

    private ArchiveSet Define(string[] expressions)
    {
        File.WriteAllLines(_config, expressions.Select((e, i) => $"{Name(i)} = {e}"));
        var definitions = new DerivedDefinitions(TimeProvider.System);
        definitions.AddFiles(_config).Should().BeEmpty();
        return ArchiveSet.Open([_archive]).With(definitions);
    }

    private string? Refusal(string expression)
    {
        var definitions = new DerivedDefinitions(TimeProvider.System);
        try
        {
            var definition = definitions.Add($"t.x = {expression}", isOwn: true);
            return ArchiveSet.Open([_archive]).With(definitions).Names.WhyNot(definition);
        }
        catch (MusterException e)
        {
            return e.Message;
        }
    }

    private static string Words(MetricDescriptor metric)
    {
        var type = metric.Type switch
        {
            MetricType.Int32 => "32-bit int",
            MetricType.UInt32 => "32-bit unsigned int",
            MetricType.Int64 => "64-bit int",
            MetricType.UInt64 => "64-bit unsigned int",
            _ => metric.Type.ToString().ToLowerInvariant(),
        };
        return $"{type}, {(metric.Instances == InstanceDomainId.None ? "PM_INDOM_NULL" : metric.Instances)}, {metric.Semantics.ToString().ToLowerInvariant()}, {metric.Units}";
    }

    private static Dictionary<string, string> Described(string text) => Description().Matches(text).ToDictionary(
        m => m.Groups[1].Value,
        m => $"{m.Groups[2].Value.Trim()}, {m.Groups[3].Value}, {m.Groups[4].Value}, {m.Groups[5].Value.Trim()}");

    [GeneratedRegex(@"^(\S+).*\n +Data Type: (.+?)  InDom: (\S+) .*\n +Semantics: (\S+)  Units: (.*)$", RegexOptions.Multiline)]
    private static partial Regex Description();

    // pmrep's table: a line a time, a column an instance.
    private List<Dictionary<string, string>> Table(string interval, List<string> names)
    {
        var lines = Tool("pmrep", ["-a", _archive, "-z", .. interval.Split(' '), "-r", "-o", "csv", "-P", "9", .. names]).Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var header = lines[0].Split(',').Select(h => h.Trim('"')).ToList();
        return [.. lines.Skip(1).Select(l => l.Split(',').Select((c, i) => (header[i], c.Trim('"'))).Where(c => c.Item2.Length > 0).ToDictionary(c => c.Item1, c => c.Item2))];
    }

    private static List<string> Compare(IEnumerable<ReplayRow> rows, List<Dictionary<string, string>> table, Func<DateTimeOffset, int> place)
    {
        var faults = new List<string>();
        var seen = 0;
        foreach (var row in rows)
        {
            var (index, column) = (place(row.Time), row.Instance is null ? row.Metric : $"{row.Metric}-{row.Instance}");
            if (index >= table.Count)
            {
                continue;
            }

            seen++;
            var expression = Taken[Index(row.Metric)];
            if (!table[index].Remove(column, out var cell))
            {
                faults.Add($"{expression} at record {index}: {column} is {row.Value}{row.Text} here, nothing there");
            }
            else if (row.Text is null ? !IsSame(row.Value!.Value, cell) : row.Text != cell)
            {
                faults.Add($"{expression} at record {index}: {column} is {row.Value}{row.Text} here, {cell} there");
            }
        }

        seen.Should().BeGreaterThan(table.Count * 60);
        for (var i = 0; i < table.Count; i++)
        {
            faults.AddRange(table[i].Where(c => c.Key != "Time").Select(c => $"{Taken[Index(c.Key)]} at record {i}: {c.Key} is nothing here, {c.Value} there"));
        }

        return faults;
    }

    private static bool IsSame(double number, string cell) => cell switch
    {
        "inf" => double.IsPositiveInfinity(number),
        "-inf" => double.IsNegativeInfinity(number),
        _ => double.TryParse(cell, CultureInfo.InvariantCulture, out var other) && Math.Abs(number - other) <= 1e-8 + (1e-9 * Math.Abs(other)),
    };
}
