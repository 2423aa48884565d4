using System.Globalization;
using Muster.Cli.Commands.Pods;

namespace Muster.Cli.Tests.Pods;

/// <summary>Logs of several apps as one, while their files are rotated.</summary>
public sealed class LogMergeTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 18, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly List<LogReader> _readers = [];

    public void Dispose()
    {
        _readers.ForEach(r => r.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    private static string Record(int second, string text) =>
        $"{{\"time\":\"{Start.AddSeconds(second).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture)}\",\"stream\":\"stdout\",\"log\":\"{text}\"}}\n";

    private void Write(string app, int second, string? text = null) => File.AppendAllText(Path.Combine(_folder, app + ".log"), Record(second, text ?? $"{app}{second}"));

    // As muster-shim does it: the oldest first.
    private void Rotate(string app, int kept)
    {
        var path = Path.Combine(_folder, app + ".log");
        for (var i = kept; i > 0; i--)
        {
            var from = i == 1 ? path : $"{path}.{i - 1}";
            if (File.Exists(from))
            {
                File.Move(from, $"{path}.{i}", overwrite: true);
            }
        }

        File.WriteAllText(path, "");
    }

    private LogMerge Merge(params string[] apps)
    {
        _readers.AddRange(apps.Select(a => new LogReader(a)));
        return new LogMerge(_readers);
    }

    private List<string> Shown(LogMerge merge, int until = int.MaxValue)
    {
        var shown = new List<string>();
        merge.Show(_folder, until == int.MaxValue ? DateTimeOffset.MaxValue : Start.AddSeconds(until), e => shown.Add(e.Text));
        return shown;
    }

    [Fact]
    public void Orders_records_by_time_through_rotated_files()
    {
        foreach (var second in (int[])[1, 4, 5, 9])
        {
            Write("a", second);
            Rotate("a", 10);
        }

        foreach (var second in (int[])[2, 3, 8])
        {
            Write("b", second);
        }

        Write("c", 7);
        Shown(Merge("a", "b", "c", "silent")).Should().Equal("a1", "b2", "b3", "a4", "a5", "c7", "b8", "a9");
    }

    [Fact]
    public void Holds_what_is_younger_than_the_round_until_the_next()
    {
        var merge = Merge("a", "b");
        Write("b", 6);
        Shown(merge, until: 5).Should().BeEmpty();
        Write("a", 4);
        Shown(merge, until: 10).Should().Equal("a4", "b6");
    }

    [Fact]
    public void Holds_nothing_for_ever_when_the_clock_was_set_back()
    {
        var merge = Merge("a");
        Write("a", 1000);
        Shown(merge, until: 5).Should().BeEmpty();
        Shown(merge, until: 6).Should().Equal("a1000");
    }

    [Fact]
    public void Loses_and_doubles_nothing_while_files_are_renamed_between_reads()
    {
        var merge = Merge("a", "b");
        var shown = new List<string>();
        for (var second = 0; second < 300; second++)
        {
            Write(second % 3 == 0 ? "b" : "a", second);
            if (second % 7 == 0)
            {
                Rotate("a", 20);
            }

            if (second % 25 == 24)
            {
                shown.AddRange(Shown(merge));
            }
        }

        shown.AddRange(Shown(merge));
        shown.Should().Equal(Enumerable.Range(0, 300).Select(s => (s % 3 == 0 ? "b" : "a") + s));
        _readers.Should().OnlyContain(r => !r.HasLost);
    }

    [Fact]
    public void Tells_that_files_went_unread()
    {
        var merge = Merge("a");
        Write("a", 1);
        Shown(merge).Should().Equal("a1");
        for (var second = 2; second < 8; second++)
        {
            Rotate("a", 2);
            Write("a", second);
        }

        Shown(merge).Should().Equal("a5", "a6", "a7");
        _readers[0].HasLost.Should().BeTrue();
    }

    [Fact]
    public void Keeps_the_last_of_each_app_and_goes_on_behind_them()
    {
        for (var second = 0; second < 20; second++)
        {
            Write(second % 2 == 0 ? "a" : "b", second);
        }

        var merge = Merge("a", "b");
        merge.KeepLast(_folder, Start.AddSeconds(17), 3);
        Write("a", 20);
        Shown(merge).Should().Equal("b17", "a18", "b19", "a20");
    }

    [Theory]
    [InlineData("not json\n")]
    [InlineData("{\"time\":\"2026\n")]
    [InlineData("{\"time\":5,\"stream\":\"stdout\",\"log\":\"x\"}\n")]
    [InlineData("[]\n")]
    public void Passes_over_what_is_no_record(string damage)
    {
        Write("a", 1);
        File.AppendAllText(Path.Combine(_folder, "a.log"), damage);
        File.AppendAllText(Path.Combine(_folder, "a.log"), new string('x', 300_000) + "\n");
        Write("a", 2);
        Shown(Merge("a")).Should().Equal("a1", "a2");
    }

    [Fact]
    public void Begins_with_the_oldest_file_while_another_thread_rotates()
    {
        for (var round = 0; round < 20; round++)
        {
            var app = "r" + round;
            for (var second = 0; second < 40; second++)
            {
                Write(app, second);
                Rotate(app, 1000);
            }

            var turner = new Thread(() =>
            {
                for (var second = 40; second < 80; second++)
                {
                    Write(app, second);
                    Rotate(app, 1000);
                }
            });
            turner.Start();
            using var reader = new LogReader(app);
            var shown = new List<string>();
            var isOver = false;
            while (!isOver)
            {
                isOver = !turner.IsAlive;
                while (reader.Next(_folder) is { } entry)
                {
                    shown.Add(entry.Text);
                }
            }

            shown.Should().Equal(Enumerable.Range(0, 80).Select(s => app + s));
        }
    }
}
