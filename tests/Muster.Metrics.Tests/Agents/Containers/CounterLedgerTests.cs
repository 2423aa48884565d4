using System.Text;
using CsCheck;
using Muster.Metrics.Agents.Containers;
using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Tests.Agents.Containers;

public sealed class CounterLedgerTests
{
    [Fact]
    public void Adds_up_what_every_life_of_a_source_counted() =>
        Gen.Select(Gen.Long[0, 1000].Array[1, 10], Gen.Bool).Array[1, 10].Sample(lives =>
        {
            var account = new CounterLedger().Open("c");
            long expected = 0, shown = 0;
            for (var life = 0; life < lives.Length; life++)
            {
                long raw = 0;
                foreach (var step in lives[life].Item1)
                {
                    raw += step;
                    shown = account.Add("n", "/a", (ulong)life, raw);
                }

                expected += raw;
            }

            return shown == expected;
        });

    [Fact]
    public void Never_goes_back_when_readings_overtake_each_other() =>
        Gen.Long[0, 1000].Array[1, 50].Sample(readings =>
        {
            var account = new CounterLedger().Open("c");
            long last = 0;
            foreach (var reading in readings)
            {
                var shown = account.Add("n", "/a", 1, reading);
                if (shown < last)
                {
                    return false;
                }

                last = shown;
            }

            return last == readings.Max();
        });

    [Fact]
    public void Goes_on_from_what_was_saved_and_starts_sources_anew_after_a_boot()
    {
        var ledger = new CounterLedger();
        ledger.Open("c").Add("n", "/a", 7, 100);
        var saved = ledger.Save("boot");
        var next = new CounterLedger();
        next.Load(saved);
        next.Open("c").Add("n", "/a", 7, 130).Should().Be(130);
        next.Open("c").Add("n", "/a", 8, 5).Should().Be(135);
    }

    [Fact]
    public void One_beside_the_nodes_own_never_falls_never_counts_twice_and_catches_up() =>
        Gen.Select(Gen.Int[0, 3], Gen.Long[1, 1000]).Array[1, 60].Sample(steps =>
        {
            // What is counted, a new life of the source, a sample of either, and the node's file read by the other.
            var (node, beside) = (new CounterLedger(), new CounterLedger());
            long truth = 0, raw = 0, shown = 0;
            ulong life = 1;
            foreach (var (what, amount) in steps)
            {
                switch (what)
                {
                    case 0:
                        (truth, raw) = (truth + amount, raw + amount);
                        break;
                    case 1:
                        // The node hears of every end.
                        _ = node.Open("c").Add("n", "/a", life, raw);
                        (life, raw) = (life + 1, 0);
                        _ = amount % 2 == 0 ? node.Open("c").Add("n", "/a", life, raw) : 0;
                        break;
                    case 2:
                        _ = node.Open("c").Add("n", "/a", life, raw);
                        break;
                    default:
                        _ = beside.Open("c").Add("n", "/a", life, raw);
                        break;
                }

                if (amount % 3 == 0)
                {
                    beside.Merge(node.Save("boot"));
                }

                var now = beside.Open("c").Total("n") ?? 0;
                if (now < shown || now > truth)
                {
                    return false;
                }

                shown = now;
            }

            _ = node.Open("c").Add("n", "/a", life, raw);
            beside.Merge(node.Save("boot"));
            return beside.Open("c").Add("n", "/a", life, raw) == truth;
        });

    [Fact]
    public void Writes_its_file_only_when_something_was_counted()
    {
        var folder = Directory.CreateTempSubdirectory("muster-ledger-").FullName;
        try
        {
            var path = Path.Combine(folder, "counters.json");
            var (ledger, file) = (new CounterLedger(), new LedgerFile(path, TimeProvider.System));
            file.Save(ledger, now: true);
            File.Exists(path).Should().BeFalse("there is nothing to be kept");

            ledger.Open("c").Add("n", "/a", 7, 100);
            file.Save(ledger, now: true);
            File.Delete(path);
            ledger.Open("c").Add("n", "/a", 7, 100);
            file.Save(ledger, now: true);
            File.Exists(path).Should().BeFalse("an idle node leaves its disk alone");

            ledger.Open("c").Add("n", "/a", 7, 101);
            file.Save(ledger, now: true);
            var next = new CounterLedger();
            file.LoadInto(next);
            next.Open("c").Total("n").Should().Be(101);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Takes_no_other_text_for_a_ledger()
    {
        LedgerFile.Parse("{}"u8).Should().BeNull();
        LedgerFile.Parse(Encoding.UTF8.GetBytes("""{"version":2,"bootId":"b","containers":{}}""")).Should().BeNull();
        LedgerFile.Parse(Encoding.UTF8.GetBytes("""{"version":1,"bootId":"b","containers":{}}""")).Should().NotBeNull();
        foreach (var containers in (string[])["null", """{"a":null}""", """{"a":[null]}""", """{"a":[{"counter":null}]}""", """{"a":[{"counter":"c","sources":null}]}""", """{"a":[{"counter":"c","sources":[{"path":null}]}]}"""])
        {
            LedgerFile.Parse(Encoding.UTF8.GetBytes($$"""{"version":1,"bootId":"b","containers":{{containers}}}""")).Should().BeNull(containers);
        }
    }

    [Fact]
    public void Keeps_the_newest_events_and_tells_how_many_were_lost()
    {
        var journal = new EventJournal(TimeProvider.System, MetricId.Of(450, 9, 3));
        for (var i = 0; i <= EventJournal.MaxEvents + 5; i++)
        {
            journal.Note("c", "oom_kill", i);
        }

        var events = journal.Events("c", "oom_kill", client: null);
        events[0].Missed.Should().Be(5);
        events.Skip(1).Should().HaveCount(EventJournal.MaxEvents).And.OnlyContain(e => e.Parameters[0].Value.Unsigned == 1);
        journal.Events("other", "oom_kill", client: null).Should().BeEmpty();
    }

    [Fact]
    public void Tells_each_client_each_event_once()
    {
        var journal = new EventJournal(TimeProvider.System, MetricId.Of(450, 9, 3));
        var (first, second) = (new ClientMemory(), new ClientMemory());
        journal.Note("c", "restart", 0);
        journal.Note("c", "restart", 1);
        Counts(first).Should().Equal(1);
        journal.Note("c", "restart", 3);
        journal.Note("c", "restart", 6);
        Counts(first).Should().Equal(2, 3);
        Counts(first).Should().BeEmpty();
        Counts(second).Should().Equal(1, 2, 3);
        Counts(null).Should().Equal([1, 2, 3], "a view that is no client's sees what is kept");

        for (var i = 0; i < EventJournal.MaxEvents + 5; i++)
        {
            journal.Note("c", "restart", 100 + i);
        }

        var events = journal.Events("c", "restart", first);
        (events[0].Missed, events.Count).Should().Be((5, EventJournal.MaxEvents + 1));
        journal.Retain(new HashSet<string>());
        Counts(first).Should().BeEmpty();

        IEnumerable<ulong> Counts(ClientMemory? client) => journal.Events("c", "restart", client).Select(e => e.Parameters[0].Value.Unsigned);
    }
}
