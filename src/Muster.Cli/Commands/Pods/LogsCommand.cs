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
        Run = ShowAsync,
    };

    /// <summary>One app's log files, oldest first, and how far they were shown.</summary>
    private sealed class Reader(string app)
    {
        public string App { get; } = app;

        public long Offset { get; set; }
    }


    private static async Task<int> ShowAsync(Invocation call, CancellationToken ct)
    {
        var door = new PodDoor(call);
        using var found = door.Store.Find(call.Arguments[0]);
        var record = found.ReadRecord();
        var apps = call.Value("app") is { } one ? [PodDoor.App(record, one)] : record.Apps;
        var readers = apps.Select(a => new Reader(a.Name)).ToList();
        var since = Since(call);
        var tail = (int)call.Number("tail", -1, 0, 10_000_000);
        foreach (var reader in readers)
        {
            ShowStored(call, found, reader, since, tail, readers.Count > 1);
        }

        call.Terminal.Flush();
        while (call.Has("follow"))
        {
            using var now = door.Store.TryFind(found.Uuid);
            var over = now is null || door.Store.StateOf(now) is PodState.Exited or PodState.Deleting;
            foreach (var reader in readers)
            {
                if (now is not null)
                {
                    ShowNew(call, now, reader, readers.Count > 1);
                }
            }

            call.Terminal.Flush();
            if (over)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), call.Time, ct);
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

    private static void ShowStored(Invocation call, PodDirectory pod, Reader reader, DateTimeOffset since, int tail, bool named)
    {
        var path = Path.Combine(pod.Path, "logs", reader.App + ".log");
        var files = Enumerable.Range(1, 1000).Select(i => $"{path}.{i}").TakeWhile(File.Exists).Reverse().Append(path).Where(File.Exists);
        var last = new Queue<string>();
        foreach (var file in files)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var lines = new StreamReader(stream);
            while (lines.ReadLine() is { } line)
            {
                if (tail < 0)
                {
                    Show(call, reader.App, line, since, named);
                    continue;
                }

                last.Enqueue(line);
                if (last.Count > tail)
                {
                    last.Dequeue();
                }
            }

            reader.Offset = stream.Length;
        }

        foreach (var line in last)
        {
            Show(call, reader.App, line, since, named);
        }
    }

    private static void ShowNew(Invocation call, PodDirectory pod, Reader reader, bool named)
    {
        var path = Path.Combine(pod.Path, "logs", reader.App + ".log");
        if (!File.Exists(path))
        {
            return;
        }

        if (new FileInfo(path).Length < reader.Offset)
        {
            // Rotated under us: the rest of the older file first.
            ShowFrom(call, path + ".1", reader, named);
            reader.Offset = 0;
        }

        ShowFrom(call, path, reader, named);
    }

    private static void ShowFrom(Invocation call, string path, Reader reader, bool named)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length <= reader.Offset)
        {
            return;
        }

        stream.Position = reader.Offset;
        var bytes = new byte[Math.Min(stream.Length - reader.Offset, 4 * 1024 * 1024)];
        var n = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var end = bytes.AsSpan(0, n).LastIndexOf((byte)'\n') + 1;
        reader.Offset += end;
        foreach (var line in System.Text.Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Show(call, reader.App, line, DateTimeOffset.MinValue, named);
        }
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
