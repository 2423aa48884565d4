using Muster.Cli.CommandLine;
using Muster.Core;

namespace Muster.Cli.Commands.Images;

/// <summary>A line on standard error that tells how far a long transfer is: only on a terminal, only after a second, gone when done.</summary>
internal sealed class ByteProgress : IDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    private readonly Invocation _call;
    private readonly string _what;
    private readonly long _started;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();
    private long _bytes;
    private bool _drawn;
    private bool _ended;

    public ByteProgress(Invocation call, string what)
    {
        _call = call;
        _what = what.Length > 60 ? what[..59] + "…" : what;
        _started = call.Time.GetTimestamp();
        if (call.Terminal.ErrorIsTerminal && !call.Quiet)
        {
            _timer = call.Time.CreateTimer(_ => Draw(), null, First, Between);
        }
    }

    /// <summary>Counts further bytes; safe from any thread.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Dispose()
    {
        _timer?.Dispose();
        lock (_gate)
        {
            _ended = true;
            if (_drawn)
            {
                _call.Terminal.Error.Write("\r\e[K");
                _call.Terminal.Error.Flush();
            }
        }
    }

    private void Draw()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _drawn = true;
            var bytes = Interlocked.Read(ref _bytes);
            var rate = (long)(bytes / Math.Max(0.001, _call.Time.GetElapsedTime(_started).TotalSeconds));
            _call.Terminal.Error.Write($"\r{_what}: {Quantity.FormatBytes(bytes)}, {Quantity.FormatBytes(rate)}/s\e[K");
            _call.Terminal.Error.Flush();
        }
    }
}
