using System.Collections.Concurrent;
using System.Diagnostics;
using Muster.Containers.Pods;
using Muster.Core;

namespace Muster.Containers.Tests.Pods;

public sealed class PodStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-store").FullName;

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_name_whose_pod_is_gone_gets_one_owner_of_many_that_want_it()
    {
        var store = new PodStore(new MusterRoot(_folder));
        for (var round = 0; round < 100; round++)
        {
            var pods = Enumerable.Range(0, 6).Select(_ => store.Create(Guid.NewGuid())).ToList();
            File.WriteAllText(store.NamePath("web"), Guid.NewGuid().ToString());
            using var together = new Barrier(pods.Count);
            var refusals = new ConcurrentBag<Exception>();
            var owners = new ConcurrentBag<Guid>();
            var threads = pods.ConvertAll(pod => new Thread(() =>
            {
                together.SignalAndWait();
                try
                {
                    store.ClaimName("web", pod.Uuid);
                    owners.Add(pod.Uuid);
                }
                catch (Exception e)
                {
                    refusals.Add(e);
                }
            }));
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            refusals.Should().AllBeOfType<MusterException>().And.HaveCount(pods.Count - 1);
            owners.Should().ContainSingle().Which.ToString().Should().Be(File.ReadAllText(store.NamePath("web")));
            foreach (var pod in pods)
            {
                pod.Dispose();
                Directory.Delete(pod.Path, recursive: true);
            }
        }
    }

    [Fact]
    public async Task A_name_on_a_full_disk_is_refused_and_stays_free()
    {
        Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", _folder);
        try
        {
            var store = new PodStore(new MusterRoot(_folder));
            using var pod = store.Create(Guid.NewGuid());
            var fill = Path.Combine(_folder, "fill");
            await using (var file = File.Create(fill, 1))
            {
                FluentActions.Invoking(() =>
                {
                    while (true)
                    {
                        file.Write(new byte[4096]);
                    }
                }).Should().Throw<IOException>();
            }

            // In a thread of its own, as a claim that never ends would keep the test.
            var claim = Task.Run(() => store.ClaimName("web", pod.Uuid), TestContext.Current.CancellationToken);
            await FluentActions.Awaiting(() => claim.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Should().ThrowAsync<IOException>();
            File.Exists(store.NamePath("web")).Should().BeFalse();
            File.Delete(fill);
            store.ClaimName("web", pod.Uuid);
        }
        finally
        {
            Run("umount", "-l", _folder);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
    }
}
