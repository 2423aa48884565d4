using CsCheck;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Names;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Door;

/// <summary>What a session answers; the codes of refusals are those that pmcd 6.0.3 gave to the same units.</summary>
public sealed class ClientSessionTests : IDisposable
{
    private const string NoProfile = "00000000 0000000000000000 00000001 0f000800";
    private const string EmptyProfile = "00000000 00000000 00000000 00000000";

    private readonly SampleAgent _agent = new();
    private readonly DoorState _door;
    private readonly ClientSession _session;

    public ClientSessionTests()
    {
        _door = new DoorState([_agent], TimeProvider.System, _ => { });
        _session = new ClientSession(_door, "local", new MetricView());
        _session.Ask(Units.PlainCredentials).Should().BeEmpty();
    }

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData(0x7004, "0f0fffff", -12358)] // an unknown metric
    [InlineData(0x7004, "3f0fffff", -12358)] // an unknown domain
    [InlineData(0x7004, "", -12366)]
    [InlineData(0x7016, "ffffffff 00000001 0f0fffff", -12358)]
    [InlineData(0x7016, "ffffffff 7fffffff 0f0fffff", -12366)]
    [InlineData(0x7006, "0fffff02 0000000000000000 ffffffff 00000000", -12359)]
    [InlineData(0x7006, "0f000002 0000000000000000 ffffffff 00000006 6d696e757465 7e7e", -12360)]
    [InlineData(0x7006, "0f000002 0000000000000000 00000007 00000000", -12360)]
    [InlineData(0x7008, "0f0fffff 00000005", -12349)]
    [InlineData(0x7008, "00000000", -12366)]
    [InlineData(0x7012, "0f000800 00000003", -12397)]
    [InlineData(0x7012, "0fffff02 00000020", -12359)]
    [InlineData(0x7012, "000001f0 00000002", -12386)]
    [InlineData(0x700e, "0000000b 00000000 00000001 0000000a 6b65726e656c2e616c6c7e7e", -12394)] // kernel.all is no leaf
    [InlineData(0x700e, "00000005 00000000 00000001 00000004 6e6f6e6f", -12357)]
    [InlineData(0x700e, "0000000b 00000000 000003e8", -12366)]
    [InlineData(0x700f, "00000000 00000004 6e6f6e6f", -12357)]
    [InlineData(0x7010, "00000000 00000004 6e6f6e6f", -12357)]
    [InlineData(0x7010, "00000000 000003e8", -12366)]
    [InlineData(0x700d, "00000000 00000001 0f0fffff", -12358)]
    [InlineData(0x700d, "00000000 00000002 0f000800 0f000800", -12366)]
    [InlineData(0x7014, NoProfile, -12381)]
    [InlineData(0x7014, "00000000 0000000000000000 00000000", -12366)]
    [InlineData(0x7014, "00000000 0000000000000000 000003e8", -12366)]
    [InlineData(0x7002, "00000000 00000000 00000005 00000000", -12366)]
    [InlineData(0x7050, "0000000000000000", -12366)]
    [InlineData(0x7000, "ffffcfc7", -12366)]
    [InlineData(0x7005, "00000000", -12366)]
    [InlineData(0x7001, "00000000 00000000 00000001 00801800 00000000", -12360)] // a store without values
    [InlineData(0x7001, "00000000 00000000 00000001 00801800 00000001 00000001 ffffffff 00001388", -12366)]
    [InlineData(0x7001, "00000000 00000000 00000001 0f019000 00000001 00000000 ffffffff 00000005", -12387)]
    [InlineData(0x7001, "00000000 00000000 00000001 00801800 00000001 00000000 ffffffff 00000005", -12397)]
    [InlineData(0x7011, "0000000f", 0, true)]
    public void Refuses_as_pmcd_does(int type, string body, int error, bool isSilent = false)
    {
        var answer = _session.Ask(Units.Make(type, body));
        if (isSilent)
        {
            answer.Should().BeEmpty();
            return;
        }

        Units.Error(answer.Should().ContainSingle().Subject).Should().Be(error);
    }

    [Fact]
    public void Hangs_up_on_whoever_does_not_begin_with_credentials()
    {
        using var session = new ClientSession(_door, "local", new MetricView());
        using var writer = new PduWriter();
        session.Take(Units.Make(PduType.DescriptorRequest, "0f000800"), writer).Should().Be(SessionOutcome.Disconnect);
        writer.Written.Length.Should().Be(0);
    }

    [Theory]
    [InlineData("00000001 01030000", -12366)] // version 3
    [InlineData("00000000", -12366)]
    [InlineData("00000001 01020004", -95)] // SASL
    [InlineData("00000001 01020011", -95)] // TLS without a certificate
    public void Refuses_credentials_that_it_cannot_meet(string body, int error)
    {
        using var session = new ClientSession(_door, "local", new MetricView());
        using var writer = new PduWriter();
        session.Take(Units.Make(PduType.Credentials, body), writer).Should().Be(SessionOutcome.Disconnect);
        Units.Error(writer.Written.Span).Should().Be(error);
    }

    [Fact]
    public void Puts_a_bad_number_in_the_place_of_what_is_unknown_among_many()
    {
        Convert.ToHexStringLower(_session.Ask(Units.Make(PduType.DescriptorIds, "ffffffff 00000002 0f000800 0f0fffff"))[0])
            .Should().Be("000000380000701700000000000000020f000800000000040f0000020000000300000000ffffffff00000000000000000000000000000000");
        Convert.ToHexStringLower(_session.Ask(Units.Make(PduType.Names, "00000016 00000000 00000002 0000000a 6b65726e656c2e616c6c7e7e 00000004 6e6f6e6f"))[0])
            .Should().Be("0000001c0000700d000000000000000000000002ffffffffffffffff");
    }

    [Fact]
    public void Collects_each_metric_once_and_answers_in_the_order_that_was_asked()
    {
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile)).Should().BeEmpty();
        var unit = _session.Ask(Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00000005 0f019004 0f000800 0f019004 3f000000 0f0fffff")).Should().ContainSingle().Subject;
        var sets = ReceivedResult.Read(unit, highResolution: true)!.Sets;
        sets.Select(s => s.Id.Value).Should().Equal(0x0f019004, 0x0f000800, 0x0f019004, 0x3f000000, 0x0f0fffff);
        sets[0].Values[0].Value.Signed.Should().Be(-9_000_000_000L);
        sets[2].Values.Should().Equal(sets[0].Values);
        sets[3].Error.Should().Be(PcpError.NoAgent);
        sets[4].Error.Should().Be(PcpError.MetricId);
        _agent.AskedLast.Should().OnlyHaveUniqueItems().And.HaveCount(2);
    }

    [Fact]
    public void Keeps_a_profile_for_each_context()
    {
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile));
        _session.Ask(Units.Make(PduType.Profile, "00000001 00000000 00000001 00000000 0f000002 00000001 00000001 00000000 00000005"));
        Instances("00000000").Should().Equal(1, 5, 15);
        Instances("00000001").Should().Equal(5);
        Instances("00000000").Should().Equal(1, 5, 15);

        IEnumerable<int> Instances(string context) => ReceivedResult.Read(_session.Ask(Units.Make(PduType.Fetch, context + "0000000000000000 00000001 0f000800"))[0], false)!.Sets[0].Values.Select(v => v.Instance);
    }

    [Fact]
    public void Bounds_the_contexts_of_a_connection()
    {
        for (var context = 0; context < ClientSession.MaxContexts; context++)
        {
            _session.Ask(Units.Make(PduType.Profile, $"{context:x8} 00000000 00000000 00000000")).Should().BeEmpty();
        }

        Units.Error(_session.Ask(Units.Make(PduType.Profile, "00ffffff 00000000 00000000 00000000"))[0]).Should().Be(PcpError.TooBig);
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile)).Should().BeEmpty("a known one is changed");
    }

    [Fact]
    public void Bounds_what_the_profiles_of_a_connection_list()
    {
        string Listing(int context, int count) => $"{context:x8} 00000000 00000001 00000000 0f000002 00000001 {count:x8} 00000000 " + string.Concat(Enumerable.Range(0, count).Select(i => $"{i:x8}"));
        _session.Ask(Units.Make(PduType.Profile, Listing(0, 16_000))).Should().BeEmpty("as much as a unit holds is taken");
        Units.Error(_session.Ask(Units.Make(PduType.Profile, Listing(1, 1000)))[0]).Should().Be(PcpError.TooBig);
        _session.Ask(Units.Make(PduType.Profile, "00000002 00000000 00000000 00000000")).Should().BeEmpty("one that lists nothing costs nothing");
        _session.Ask(Units.Make(PduType.Profile, Listing(0, 1000))).Should().BeEmpty("it takes the place of the larger one");
        _session.Ask(Units.Make(PduType.Profile, Listing(1, 15_000))).Should().BeEmpty();
    }

    [Fact]
    public void Tells_of_new_names_and_labels_before_the_next_values()
    {
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile));
        _session.Ask(Units.Make(PduType.HighResolutionFetch, NoProfile)).Should().ContainSingle();
        _agent.Metrics = [.. _agent.Metrics, new("kernel.new", MetricId.Of(60, 200, 0), MetricType.Int32, InstanceDomainId.None, MetricSemantics.Instant, MetricUnits.None, "new")];
        _agent.Generation++;
        _agent.LabelGeneration++;
        var answer = _session.Ask(Units.Make(PduType.HighResolutionFetch, NoProfile));
        answer.Should().HaveCount(2);
        Units.Error(answer[0]).Should().Be(16 | 8);
        ReceivedResult.Read(answer[1], true).Should().NotBeNull();
        _session.Ask(Units.Make(PduType.HighResolutionFetch, NoProfile)).Should().ContainSingle("it is told once");
        _session.Ask(Units.Make(PduType.DescriptorRequest, "0f032000")).Should().ContainSingle();
    }

    [Fact]
    public void Sees_with_the_eyes_of_the_container_that_was_named()
    {
        Names().Should().Equal("lo", "eth0");
        _session.Ask(Units.Make(PduType.Attribute, "0000000f" + Convert.ToHexString("box"u8))).Should().BeEmpty();
        Names().Should().Equal("lo");
        Store(PmcdAgent.Container, "").Should().Be(0);
        Names().Should().Equal("lo", "eth0");
        Store(PmcdAgent.Container, "nosuch").Should().Be(0);
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile));
        ReceivedResult.Read(_session.Ask(Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00000001 0f000c00"))[0], true)!.Sets[0].Error.Should().Be(PcpError.NoContainer);

        IEnumerable<string> Names()
        {
            var reader = new PduReader(_session.Ask(Units.Make(PduType.InstanceRequest, "0f000003 0000000000000000 ffffffff 00000000"))[0].AsSpan(16));
            var names = new string[reader.Int32()];
            for (var i = 0; i < names.Length; i++)
            {
                reader.Int32();
                names[i] = reader.Text(100);
            }

            return names;
        }
    }

    [Fact]
    public void Keeps_what_a_client_says_of_itself_and_no_more_than_a_line()
    {
        Store(PmcdAgent.WhoAmI, "localhost pmval").Should().Be(0);
        _session.Client.Who.Should().Be("localhost pmval");
        Store(PmcdAgent.WhoAmI, new string('x', 5000)).Should().Be(PcpError.TooBig);
    }

    [Fact]
    public void Lets_root_store_and_nobody_else()
    {
        const string StoreSeven = "00000000 00000000 00000001 0f019000 00000001 00000000 ffffffff 00000007";
        Units.Error(_session.Ask(Units.Make(PduType.Result, StoreSeven))[0]).Should().Be(PcpError.Permission);
        using var root = new ClientSession(_door, "local", MetricView.Host);
        root.Ask(Units.PlainCredentials);
        Units.Error(root.Ask(Units.Make(PduType.Result, StoreSeven.Replace("00000007", "ffffffd6", StringComparison.Ordinal)))[0]).Should().Be(0);
        _agent.Stored.Should().Be(-42);
        Units.Error(root.Ask(Units.Make(PduType.Result, "00000000 00000000 00000001 0f0fffff 00000001 00000000 ffffffff 00000007"))[0]).Should().Be(PcpError.MetricId);
        Units.Error(root.Ask(Units.Make(PduType.Result, "00000000 00000000 00000001 0f000800 00000001 00000000 00000001 00000007"))[0]).Should().Be(PcpError.Type, "a float is never in place");
    }

    [Fact]
    public void Gives_the_metrics_of_a_failing_agent_an_error_and_the_others_their_values()
    {
        _agent.BeforeCollect = () => throw new InvalidOperationException("broken");
        _session.Ask(Units.Make(PduType.Profile, EmptyProfile));
        var sets = ReceivedResult.Read(_session.Ask(Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00000002 0f000800 00800017"))[0], true)!.Sets;
        sets[0].Error.Should().Be(PcpError.Generic);
        sets[1].Values[0].Value.Unsigned.Should().Be((ulong)Environment.ProcessId);
    }

    [Fact]
    public void Takes_any_units_without_a_fault() => Gen.Select(Gen.Int[0x6fff, 0x7019], Gen.Byte.Array[0, 64]).Array[1, 10].Sample(units =>
    {
        using var session = new ClientSession(_door, "local", new MetricView());
        session.Ask(Units.PlainCredentials);
        foreach (var (type, body) in units)
        {
            foreach (var answer in session.Ask(Units.Make(type, Convert.ToHexString(body))))
            {
                answer.Length.Should().BeGreaterThanOrEqualTo(12);
            }
        }
    }, iter: 1000);

    private int Store(MetricId id, string text)
    {
        using var writer = new PduWriter();
        var set = new ValueSet();
        set.Add(MetricValue.From(text));
        ResultWriter.TryWrite(writer, false, DateTimeOffset.UnixEpoch, [new ResultSet(id, MetricType.String, set, InstanceSelection.Everything)]);
        return Units.Error(_session.Ask(writer.Written.ToArray())[0]);
    }
}
