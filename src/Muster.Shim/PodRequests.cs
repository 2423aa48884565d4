using System.Text.Json;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>What clients of the control socket may ask of a running pod, and the frames of those who are attached.</summary>
/// <param name="apps">The pod's apps.</param>
/// <param name="plan">The pod's plan.</param>
/// <param name="stopAll">Asks every app to end, with the grace in milliseconds before SIGKILL.</param>
internal sealed class PodRequests(List<AppSupervision> apps, SupervisionPlan plan, Action<int> stopAll)
{
    /// <summary>Does what a request asks; a sentence why not, or null.</summary>
    public string? Answer(JsonElement request, ControlClient client)
    {
        if (!request.TryGetProperty("v", out var version) || version.GetInt32() > ControlServer.ProtocolVersion)
        {
            return $"This muster-shim speaks version {ControlServer.ProtocolVersion} of the protocol";
        }

        var app = request.TryGetProperty("app", out var named) ? named.GetString() : null;
        var meant = app is null ? apps : apps.FindAll(a => a.Name == app);
        if (meant.Count == 0)
        {
            return $"This pod has no app \"{app}\"";
        }

        switch (request.GetProperty("op").GetString())
        {
            case "status":
                return null;
            case "stop":
                stopAll(Grace(request));
                return null;
            case "signal":
                meant.ForEach(a => a.Signal(Math.Clamp(request.GetProperty("signal").GetInt32(), 1, 64)));
                return null;
            case "restart":
                meant.ForEach(a => a.Restart(Grace(request)));
                return null;
            case "attach":
                return Attach(request, client, meant);
            default:
                return "This muster-shim does not know that operation";
        }
    }

    /// <summary>Takes a frame of an attached client; false while it does not fit and has to wait.</summary>
    public bool Take(ControlClient client, byte kind, ReadOnlyMemory<byte> data)
    {
        var app = apps.Find(a => a.Name == client.AttachedTo);
        if (kind == 3 && data.Length == 4 && app is { Streams.TerminalDescriptor: >= 0 })
        {
            TerminalDevice.SetSize(app.Streams.TerminalDescriptor, BitConverter.ToUInt16(data.Span), BitConverter.ToUInt16(data.Span[2..]));
            return true;
        }

        if (kind != 0 || !client.WantsIn || app?.Streams.Input is not { } input)
        {
            return true;
        }

        if (data.Length == 0)
        {
            if (input.WantsWrite)
            {
                return false;
            }

            input.End();
            return true;
        }

        // Frames are small (16 KiB at most); one that does not fit now stays buffered and holds up only its sender.
        if (input.Free < data.Length)
        {
            return input.Sink < 0 || data.Length > 16384;
        }

        input.Offer(data.Span);
        return true;
    }

    private int Grace(JsonElement request) => request.TryGetProperty("graceMs", out var grace) ? Math.Clamp(grace.GetInt32(), 0, 86_400_000) : plan.StopGraceMs;

    private static string? Attach(JsonElement request, ControlClient client, List<AppSupervision> apps)
    {
        if (apps.Count != 1)
        {
            return $"The pod has {apps.Count} apps: name one of {string.Join(", ", apps.Select(a => a.Name))}";
        }

        bool Wants(string stream) => request.TryGetProperty(stream, out var value) && value.GetBoolean();
        if (Wants("stdin") && apps[0].Streams.Input is null)
        {
            return $"App \"{apps[0].Name}\" has no standard input to attach to: start it with --stdin=stream or --interactive";
        }

        client.WantsIn = Wants("stdin");
        client.WantsOut = Wants("stdout");
        client.WantsError = Wants("stderr");
        client.AttachedTo = apps[0].Name;
        return null;
    }
}
