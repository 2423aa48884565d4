using Muster.Metrics.Collecting;

namespace Muster.Metrics.Tests.Collecting;

public sealed class SharedWorkTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public void Does_every_part_once(int count)
    {
        var done = new int[count];
        SharedWork.Run(count, i => Interlocked.Increment(ref done[i]));
        done.Should().OnlyContain(n => n == 1);
    }

    [Fact]
    public void Does_all_parts_itself_when_no_thread_is_free()
    {
        // More requests at once than the pool has threads: each of them still ends.
        var sum = 0;
        Parallel.For(0, 64, _ => SharedWork.Run(16, _ => Interlocked.Increment(ref sum)));
        sum.Should().Be(64 * 16);
    }

    [Fact]
    public void Throws_the_first_failure_after_the_other_parts()
    {
        var done = 0;
        var run = () => SharedWork.Run(8, i =>
        {
            Interlocked.Increment(ref done);
            if (i == 3)
            {
                throw new IOException("part 3");
            }
        });
        run.Should().Throw<IOException>().WithMessage("part 3");
        done.Should().Be(8);
    }
}
