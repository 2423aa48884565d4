using Muster.Core;

namespace Muster.Network.Tests;

[Collection("host")]
public class FullDiskTests
{
    private const int Block = 4096;

    [Fact]
    public async Task A_disk_that_is_full_at_any_step_ends_the_start_and_leaves_nothing()
    {
        using var root = new TestRoot();
        TestHost.Run("mount", ["-t", "tmpfs", "-o", "size=4m", "none", root.Root.Directory!]);
        try
        {
            // The folders, and a network that has been chosen: what there is on a host that has run pods.
            var first = TestRoot.Request("first");
            root.SetUp(first);
            root.TearDown(first);
            root.Sweep();
            var works = 0;
            for (var blocks = 0; blocks < 16 && works < 2; blocks++)
            {
                var fill = Fill(root.Root.Directory!, blocks);
                var request = TestRoot.Request("full", new PortMapping(null, "tcp", null, 18300, 80));

                // Beside, as a start that waits for itself would keep the test.
                var start = Task.Run(() => root.SetUp(request), TestContext.Current.CancellationToken);
                try
                {
                    await start.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
                    works++;
                    root.TearDown(request);
                }
                catch (Exception e) when (e is IOException or MusterException)
                {
                    // It says that there is no space.
                }

                File.Delete(fill);
                root.Sweep();
                root.AssertNothingIsLeft();
            }

            works.Should().BePositive();
        }
        finally
        {
            TestHost.Run("umount", ["-l", root.Root.Directory!]);
        }
    }

    // Leaves so many blocks of the file system.
    private static string Fill(string folder, int blocks)
    {
        var fill = Path.Combine(folder, "fill");
        using var file = new FileStream(fill, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        try
        {
            while (true)
            {
                file.Write(new byte[Block]);
            }
        }
        catch (IOException)
        {
            file.SetLength(Math.Max(0, file.Length - (blocks * Block)));
        }

        return fill;
    }
}
