namespace Muster.Linux.Tests.Mounts;

/// <summary>Overlays whose options do not fit into one page under the names that lowers have.</summary>
public sealed class OverlayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-overlay-").FullName;

    [Theory]
    [InlineData(2)]
    [InlineData(127)]
    [InlineData(Overlay.MaxLowers)]
    public void Mounts_as_many_lowers_as_the_kernel_stacks(int count)
    {
        var lowers = new List<string>();
        for (var i = 0; i < count; i++)
        {
            lowers.Add(Directory.CreateDirectory($"{_folder}/trees/sha256-{i:x64}/rootfs").FullName);
            File.WriteAllText($"{lowers[^1]}/file-{i}", "");
            File.WriteAllText(lowers[^1] + "/top", $"{i}");
        }

        var target = Directory.CreateDirectory(_folder + "/target").FullName;
        var upper = Directory.CreateDirectory(_folder + "/upper").FullName;
        var work = Directory.CreateDirectory(_folder + "/work").FullName;
        var here = Environment.CurrentDirectory;
        (int Files, string Top) seen = default;
        InOwnNamespace(() =>
        {
            Overlay.Make(lowers, upper, work, target);
            seen = (Directory.GetFiles(target, "file-*").Length, File.ReadAllText(target + "/top"));
            Mount.Detach(target);
        });
        seen.Should().Be((count, "0"));
        Environment.CurrentDirectory.Should().Be(here);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A thread that enters a namespace cannot come back: it ends with the work.
    private static void InOwnNamespace(Action work)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Mount.EnterPrivateNamespace();
                work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        failure.Should().BeNull();
    }
}
