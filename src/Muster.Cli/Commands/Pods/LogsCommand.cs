using System.Globalization;
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
        Description = "Lines of standard output go to standard output, those of standard error to standard error. Lines of several apps come in the order of their time. With --format=json the stored records are printed as they are, one a line, with the app's name where there are several.",
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
        var merge = new LogMerge(readers);
        var stored = Path.Combine(found.Path, "logs");
        if (call.Has("tail"))
        {
            merge.KeepLast(stored, since, (int)call.Number("tail", 0, 0, 10_000_000));
        }

        var printer = new LogPrinter(call, named: readers.Count > 1);
        void Show(LogEntry entry)
        {
            if (entry.Time >= since)
            {
                printer.Write(entry);
            }
        }

        if (!call.Has("follow"))
        {
            merge.Show(stored, DateTimeOffset.MaxValue, Show);
        }

        while (call.Has("follow"))
        {
            using var now = door.Store.TryFind(found.Uuid);
            var over = now is null || door.Store.StateOf(now) is PodState.Exited or PodState.Deleting;
            merge.Show(Path.Combine(now?.Path ?? found.Path, "logs"), over ? DateTimeOffset.MaxValue : call.Time.GetUtcNow(), Show);
            call.Terminal.Flush();
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
}

/// <summary>Writes the records of one or several apps as lines, or as they are stored.</summary>
/// <param name="named">Whether each line says whose it is.</param>
internal sealed class LogPrinter(Invocation call, bool named)
{
    private TextWriter? _lastWritten;
    private (string App, bool IsError)? _open;

    public void Write(LogEntry entry)
    {
        if (call.Json)
        {
            // The record as it is; of several apps it has to say whose it is.
            call.Terminal.Out.WriteLine(named ? $"{{\"app\":\"{entry.App}\",{entry.Record.TrimStart()[1..]}" : entry.Record);
            return;
        }

        var output = entry.IsError ? call.Terminal.Error : call.Terminal.Out;
        if (_open is { } open && open != (entry.App, entry.IsError))
        {
            // A line that has no end yet: what another says in between does not belong to it.
            _lastWritten!.WriteLine();
            _open = null;
        }

        if (output != _lastWritten)
        {
            // Both may go to one place, where the order is to be that of the log.
            call.Terminal.Flush();
            _lastWritten = output;
        }

        if (_open is null)
        {
            output.Write(call.Has("timestamps") ? entry.Written + " " : "");
            output.Write(named ? entry.App + " | " : "");
        }

        output.Write(entry.Text);
        if (!entry.IsPartial)
        {
            output.WriteLine();
        }

        _open = entry.IsPartial ? (entry.App, entry.IsError) : null;
    }
}
