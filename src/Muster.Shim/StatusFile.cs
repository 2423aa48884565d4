using System.Text.Json;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// <c>status.json</c> in the pod directory: what a verb without a daemon reads. Written beside and renamed at every change.
/// </summary>
internal sealed class StatusFile
{
    private readonly string _path;
    private readonly string _bootId = ProcessControl.BootId();
    private readonly DateTimeOffset _startedAt;
    private readonly ulong _startTime = ProcessControl.StartTime(Environment.ProcessId);

    public StatusFile(string podDirectory, DateTimeOffset startedAt)
    {
        _path = Path.Combine(podDirectory, "status.json");
        _startedAt = startedAt;
    }

    public void Write(IReadOnlyList<AppSupervision> apps, int infraPid, DateTimeOffset? exitedAt, int? exitStatus, string? error)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version"u8, 1);
            json.WriteString("bootId"u8, _bootId);
            json.WriteNumber("shimPid"u8, Environment.ProcessId);
            json.WriteNumber("shimStartTime"u8, _startTime);
            json.WriteString("startedAt"u8, _startedAt);
            if (infraPid > 0)
            {
                json.WriteNumber("infraPid"u8, infraPid);
            }

            json.WriteStartObject("apps"u8);
            foreach (var app in apps)
            {
                app.WriteStatus(json);
            }

            json.WriteEndObject();
            if (exitedAt is { } at)
            {
                json.WriteString("exitedAt"u8, at);
            }

            if (exitStatus is { } status)
            {
                json.WriteNumber("exitStatus"u8, status);
            }

            if (error is not null)
            {
                json.WriteString("error"u8, error);
            }

            json.WriteEndObject();
        }

        var beside = _path + ".new";
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(buffer.WrittenSpan);
        }

        File.Move(beside, _path, overwrite: true);
    }
}
