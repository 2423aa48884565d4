namespace Muster.Core.Tests.Errors;

public sealed class UndoStackTests
{
    private readonly List<string> _done = [];

    [Fact]
    public void Takes_steps_back_in_reverse_order()
    {
        using (var undo = new UndoStack())
        {
            undo.Push(() => _done.Add("first"));
            undo.PushAsync(async () =>
            {
                await Task.Yield();
                _done.Add("second");
            });
            undo.Push(() => _done.Add("third"));
        }

        _done.Should().Equal("third", "second", "first");
    }

    [Fact]
    public async Task Keeps_everything_after_a_commit()
    {
        await using (var undo = new UndoStack())
        {
            undo.Push(() => _done.Add("first"));
            undo.Commit();
        }

        _done.Should().BeEmpty();
    }

    [Fact]
    public async Task Goes_on_after_a_step_that_fails_and_tells_of_it()
    {
        var told = new List<Exception>();
        await using (var undo = new UndoStack(told.Add))
        {
            undo.Push(() => _done.Add("first"));
            undo.Push(() => throw new IOException("busy"));
            undo.Push(() => _done.Add("third"));
        }

        _done.Should().Equal("third", "first");
        told.Should().ContainSingle().Which.Message.Should().Be("busy");
    }

    [Fact]
    public void Lets_the_failure_that_began_it_through()
    {
        var act = () =>
        {
            using var undo = new UndoStack();
            undo.Push(() => throw new IOException("while undoing"));
            throw new MusterException(ErrorKind.Busy, "the cause");
        };
        act.Should().Throw<MusterException>().WithMessage("the cause");
    }

    [Fact]
    public void Undoes_only_once()
    {
        using var undo = new UndoStack();
        undo.Push(() => _done.Add("first"));
        undo.Dispose();
        undo.Dispose();
        _done.Should().Equal("first");
    }
}
