using System.Globalization;
using System.Text.Json;
using Muster.Cli.CommandLine;
using Muster.Containers.Pods;
using Muster.Core;

namespace Muster.Cli.Commands.Pods;

internal static class LogsCommand
{
    public static readonly Command Command = new()
    {
        Words = ["logs"],
        Summary = "Show what the apps of a pod wrote",
        Usage = "[OPTION…] POD",
        Description = "Lines of standard output go to standard output, those of standard error to standard error. With --format=json the stored records are printed as they are, one a line.",
        Example = "muster logs -f web\nmuster logs --since=10m --app=db stack",
        Options =
        [
            new("follow", "Go on until the pod has ended") { Short = 'f' },
            new("app", "Only this app", "NAME"),
            new("since", "Only what is younger than TIME, or than a moment such as 2026-11-22T18:00:00Z", "TIME"),
            new("tail", "Only the last N lines of each app", "N") { Short = 'n' },
            new("timestamps", "Write each line's time before it") { Short = 't' },
        ],
        Arguments = (1, 1),
        Watches = true,
        Run = ShowAsync,
    };

    private static TextWriter? _lastWritten;

    private static async Task<int> ShowAsync(Invocation call, CancellationToken ct)
    {
        var door = new PodDoor(call);
        using var found = door.Store.Find(call.Arguments[0]);
        var record = found.ReadRecord();
        var apps = call.Value("app") is { } one ? [PodDoor.App(record, one)] : record.Apps;
        if (call.Has("filter"))
        {
            throw new MusterException(ErrorKind.Usage, "--filter chooses rows of a table, and a log is none: use --app, --since or --tail, or grep");
        }

        var readers = apps.Select(a => new LogReader(a.Name)).ToList();
        try
        {
            await FollowAsync(call, door, found, readers, ct);
        }
        finally
        {
            readers.ForEach(r => r.Dispose());
        }

        return 0;
    }

    private static DateTimeOffset Since(Invocation call)
    {
        if (call.Value("since") is not { } text)
        {
            return DateTimeOffset.MinValue;
        }

        return text.Length > 10 && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : call.Time.GetUtcNow() - Durations.Parse(text, "--since");
    }

    private static async Task FollowAsync(Invocation call, PodDoor door, PodDirectory found, List<LogReader> readers, CancellationToken ct)
    {
        var since = Since(call);
        var tail = (int)call.Number("tail", -1, 0, 10_000_000);
        ShowStored(call, Path.Combine(found.Path, "logs"), readers, since, tail);
        while (call.Has("follow"))
        {
            using var now = door.Store.TryFind(found.Uuid);
            var over = now is null || door.Store.StateOf(now) is PodState.Exited or PodState.Deleting;
            ShowStored(call, Path.Combine(now?.Path ?? found.Path, "logs"), readers, DateTimeOffset.MinValue, -1);
            if (over)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), call.Time, ct);
        }

        foreach (var reader in readers.Where(r => r.HasLost))
        {
            door.Warn($"the log of app \"{reader.App}\" was rotated away faster than it was read: lines are missing; raise --log-max-size");
        }
    }

    private static void ShowStored(Invocation call, string folder, List<LogReader> readers, DateTimeOffset since, int tail)
    {
        var last = new Queue<string>();
        foreach (var reader in readers)
        {
            reader.Read(folder, line =>
            {
                if (tail < 0)
                {
                    Show(call, reader.App, line, since, readers.Count > 1);
                    return;
                }

                last.Enqueue(line);
                if (last.Count > tail)
                {
                    last.Dequeue();
                }
            });
            while (last.TryDequeue(out var line))
            {
                Show(call, reader.App, line, since, readers.Count > 1);
            }
        }

        call.Terminal.Flush();
    }

    private static void Show(Invocation call, string app, string line, DateTimeOffset since, bool named)
    {
        JsonDocument record;
        try
        {
            record = JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            // A record that a crash cut short.
            return;
        }

        using (record)
        {
            var time = record.RootElement.GetProperty("time").GetString()!;
            if (since > DateTimeOffset.MinValue && DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) < since)
            {
                return;
            }

            if (call.Json)
            {
                call.Terminal.Out.WriteLine(line);
                return;
            }

            var output = record.RootElement.GetProperty("stream").GetString() == "stderr" ? call.Terminal.Error : call.Terminal.Out;
            if (output != _lastWritten)
            {
                // Both may go to one place, where the order is to be that of the log.
                call.Terminal.Flush();
                _lastWritten = output;
            }

            output.Write(call.Has("timestamps") ? time + " " : "");
            output.Write(named ? app + " | " : "");
            output.Write(record.RootElement.GetProperty("log").GetString());
            if (!record.RootElement.TryGetProperty("partial", out _))
            {
                output.WriteLine();
            }
        }
    }
}
