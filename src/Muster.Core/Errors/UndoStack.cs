namespace Muster.Core;

/// <summary>
/// Steps that take back a multi-step change of the host, run in reverse order unless <see cref="Commit"/> was called.
/// Use: <c>using var undo = new UndoStack(); mount(); undo.Push(unmount); …; undo.Commit();</c>
/// </summary>
public sealed class UndoStack : IDisposable, IAsyncDisposable
{
    private readonly Stack<Func<ValueTask>> _steps = new();
    private readonly Action<Exception>? _onFailure;
    private bool _committed;

    /// <summary>Makes an empty stack; a step that fails while undoing is told to <paramref name="onFailure"/> and the rest still run.</summary>
    public UndoStack(Action<Exception>? onFailure = null) => _onFailure = onFailure;

    /// <summary>Remembers how to take back what was just done.</summary>
    public void Push(Action undo) => _steps.Push(() =>
    {
        undo();
        return ValueTask.CompletedTask;
    });

    /// <summary>Remembers how to take back what was just done, asynchronously.</summary>
    public void PushAsync(Func<ValueTask> undo) => _steps.Push(undo);

    /// <summary>Keeps everything: nothing is undone any more.</summary>
    public void Commit()
    {
        _committed = true;
        _steps.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_committed)
        {
            return;
        }

        while (_steps.TryPop(out var step))
        {
            try
            {
                await step();
            }
#pragma warning disable CA1031 // The remaining steps must run whatever one of them throws.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _onFailure?.Invoke(e);
            }
        }
    }
}
