using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Muster.Containers.Pods;
using Muster.Core.Supervision;

namespace Muster.Containers.Tests.Pods;

public sealed class SupervisionPlanReaderTests
{
    private static readonly Gen<string> Texts = Gen.String[Gen.Char["ab/-. \"\\é"], 0, 8];
    private static readonly Gen<IReadOnlyList<string>> Lists = Texts.List[0, 3].Select(l => (IReadOnlyList<string>)l);
    private static readonly Gen<PlannedHandler[]> Handlers = Gen.Select(Texts, Texts, (id, bundle) => new PlannedHandler(id, bundle)).Array[0, 2];

    private static readonly Gen<PlannedApp> Apps = Gen.Select(Texts, Gen.Bool, Texts, Handlers, Handlers, Gen.Int[1, 64], (text, terminal, restart, before, after, signal) =>
        new PlannedApp { Name = text, Id = text + "i", Bundle = "/" + text, Terminal = terminal, Stdin = restart, Output = text, Restart = restart, PreStart = before, PostStop = after, StopSignal = signal });

    private static readonly Gen<PlannedMount> Mounts = Gen.Select(Texts, Texts.Null(), Lists, Texts.Null(), Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt, (a, b, c) => new IdRange(a, b, c)).Array[0, 2], (text, source, lowers, upper, map) =>
        new PlannedMount { Type = text, Target = text, Source = source, Lowers = lowers, Upper = upper, Work = upper, Options = source, IdMap = map });

    private static readonly Gen<SupervisionPlan> Plans = Gen.Select(
        Gen.Select(Texts, Texts.Null(), Lists, Gen.Bool),
        Gen.Select(Apps.Array[0, 3], Apps, Mounts.Array[0, 3], Gen.Bool),
        Gen.Select(Gen.Int, Gen.Long),
        (a, b, c) => new SupervisionPlan
        {
            Pod = a.Item1,
            Runtime = a.Item1,
            RuntimeArguments = a.Item3,
            Cgroup = a.Item1,
            CgroupLock = a.Item1,
            Mounts = b.Item3,
            Infra = b.Item4 ? b.Item2 : null,
            Apps = b.Item1,
            TearDown = [a.Item3],
            TearDownFirst = b.Item4,
            StopGraceMs = c.Item1,
            LogMaxBytes = c.Item2,
            LogMaxFiles = c.Item1,
            ExitedDirectory = a.Item1,
            RemoveWhenDone = a.Item4,
            GarbageDirectory = a.Item2,
            NameFile = a.Item2,
        });

    [Fact]
    public void Reads_every_plan_as_the_generated_reader_does()
    {
        Plans.Sample(plan =>
        {
            var bytes = PodJson.Bytes(plan);
            var generated = JsonSerializer.Deserialize(bytes, PodJson.Default.SupervisionPlan)!;
            var read = SupervisionPlanReader.Read(bytes);
            return PodJson.Bytes(read).AsSpan().SequenceEqual(bytes) && PodJson.Bytes(generated).AsSpan().SequenceEqual(bytes);
        });
    }

    [Fact]
    public void Refuses_a_member_that_it_does_not_know_wherever_it_stands()
    {
        Gen.Select(Plans.Where(p => p.Apps.Count > 0 && p.Mounts.Count > 0), Gen.Int[0, 2]).Sample((plan, place) =>
        {
            var json = JsonNode.Parse(PodJson.Bytes(plan))!;
            (place == 0 ? json : place == 1 ? json["apps"]![0]! : json["mounts"]![0]!).AsObject()["surprise"] = 1;
            var read = () => SupervisionPlanReader.Read(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));
            read.Should().Throw<JsonException>().WithMessage("*surprise*");
        }, iter: 100);
    }

    [Fact]
    public void Gives_members_that_are_left_out_the_defaults_of_the_plan_itself()
    {
        var plan = new SupervisionPlan
        {
            Pod = "p",
            Runtime = "/crun",
            RuntimeArguments = [],
            Cgroup = "/c",
            CgroupLock = "/l",
            Mounts = [new PlannedMount { Type = "tmpfs", Target = "/t" }],
            Apps = [new PlannedApp { Name = "a", Id = "i", Bundle = "/b" }],
            ExitedDirectory = "/e",
        };
        var least = """
            {"version":1,"pod":"p","runtime":"/crun","runtimeArguments":[],"cgroup":"/c","cgroupLock":"/l","exitedDirectory":"/e",
             "mounts":[{"type":"tmpfs","target":"/t"}],"apps":[{"name":"a","id":"i","bundle":"/b"}]}
            """u8.ToArray();
        PodJson.Bytes(SupervisionPlanReader.Read(least)).Should().Equal(PodJson.Bytes(plan));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"version\":\"1\"}")]
    [InlineData("{\"version\":1,\"pod\":null}")]
    public void Refuses_what_is_no_plan(string text)
    {
        var read = () => SupervisionPlanReader.Read(System.Text.Encoding.UTF8.GetBytes(text));
        read.Should().Throw<JsonException>();
    }

    [Fact]
    public void Tells_the_version_of_a_newer_plan_whatever_else_it_holds() =>
        SupervisionPlanReader.Read("{\"version\":99,\"new\":true}"u8.ToArray()).Version.Should().Be(99);
}
