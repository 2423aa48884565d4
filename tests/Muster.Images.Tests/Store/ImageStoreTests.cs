using System.Diagnostics;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Tests.Store;

public sealed class ImageStoreTests : IDisposable
{
    private readonly ImageRoot _root = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Does_the_work_once_when_several_fetch_the_same_at_once()
    {
        var reference = _root.Layout("lay", "head -c 3000000 /dev/urandom > f");
        var images = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => _root.FetchAsync(reference))));
        images.Select(i => i.Record.Id).Distinct().Should().ContainSingle();
        Directory.EnumerateDirectories(_root.Root.Images + "/trees").Should().ContainSingle();
        _root.ShouldBeClean();
        (await new ImageVerifier(_root.Store).VerifyAsync(images[0].Record, null, Token)).Should().BeEmpty();
    }

    [Fact]
    public async Task Finds_images_by_prefix_and_refuses_one_that_fits_several()
    {
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add((await _root.FetchAsync(_root.Aci($"{i}.aci", $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/n{{i}}"}"""))).Record.Id);
        }

        _root.Store.Find(ids[3])!.Record.Id.Should().Be(ids[3]);
        _root.Store.Find(ids[3][..15])!.Record.Id.Should().Be(ids[3]);
        _root.Store.Find("sha512-ffffffffffffffff").Should().BeNull();
        var twice = ids.GroupBy(i => i[..8]).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (twice is not null)
        {
            // Two digits are the least that is looked for; of twenty ids some share the first.
            ((Action)(() => _root.Store.Find(twice[..8] + ""))).Should().NotThrow<NullReferenceException>();
        }

        var prefix = ids.SelectMany(a => ids.Where(b => b != a && a[..9] == b[..9]).Select(_ => a[..9])).FirstOrDefault();
        if (prefix is not null)
        {
            ((Action)(() => _root.Store.Find(prefix))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Invalid);
        }

        _root.Store.Find("no such image").Should().BeNull();
    }

    [Fact]
    public async Task Removes_names_then_images_then_what_only_they_used()
    {
        var reference = _root.Layout("lay", "echo 1 > f");
        _root.Shell("umoci tag --image lay:latest other");
        await _root.FetchAsync(reference);
        var other = reference.Replace(":latest", ":other", StringComparison.Ordinal);
        await _root.FetchAsync(other);
        (await _root.Store.RemoveAsync(reference, Token)).Should().Equal(reference);
        _root.Store.Find(reference).Should().BeNull();
        var image = _root.Store.Find(other)!;
        Directory.Exists(_root.Store.LowerDirectories(image.Record)[0]).Should().BeTrue();
        (await _root.Store.RemoveAsync(image.Record.Id[..20], Token)).Should().Equal(other);
        _root.ShouldBeEmpty();
        await ((Func<Task>)(() => _root.Store.RemoveAsync(other, Token))).Should().ThrowAsync<MusterException>();
    }

    [Fact]
    public async Task Keeps_trees_that_pods_name()
    {
        var image = await _root.FetchAsync(_root.Layout("lay", "echo 1 > f"));
        var pod = Directory.CreateDirectory(_root.Root.Pods + "/run/0b0f9ad5-0000-4000-8000-000000000000").FullName;
        var record = "{\"version\":1,\"apps\":[{\"name\":\"a\",\"trees\":[\"" + image.Record.Trees[0] + "\"]}]}";
        File.WriteAllText(pod + "/pod.json", "{");
        await ((Func<Task>)(() => _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, true), Token))).Should().ThrowAsync<MusterException>();
        File.WriteAllText(pod + "/pod.json", record);
        await _root.Store.RemoveAsync(image.Record.Id, Token);
        Directory.Exists(_root.Store.TreePath(image.Record.Trees[0])).Should().BeTrue();
        Directory.Delete(pod, recursive: true);
        (await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, false), Token)).Trees.Should().Be(1);
        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Collects_unused_images_only_when_asked()
    {
        var image = await _root.FetchAsync(_root.Layout("lay", "echo 1 > f"));
        (await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, false), Token)).Images.Should().BeEmpty();
        (await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.FromHours(1), true), Token)).Images.Should().BeEmpty();
        File.SetLastWriteTimeUtc($"{_root.Root.Images}/refs/images/{image.Record.Id}.json", new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        _root.Store.LastUsed(image.Record).Year.Should().Be(2020);
        _root.Store.MarkUsed(image.Record);
        (await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.FromHours(1), true), Token)).Images.Should().BeEmpty();
        (await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, true), Token)).Images.Should().Equal(image.Record.Id);
        _root.ShouldBeEmpty();
    }

    [Fact]
    public async Task Does_not_collect_while_a_pod_takes_trees()
    {
        await _root.FetchAsync(_root.Layout("lay", "echo 1 > f"));
        using (await _root.Store.HoldAsync(Token))
        {
            FileLock.TryTake(_root.Root.Images + "/lock", exclusive: true).Should().BeNull();
        }

        using var free = FileLock.TryTake(_root.Root.Images + "/lock", exclusive: true);
        free.Should().NotBeNull();
    }

    [Fact]
    public async Task Keeps_nothing_when_the_disk_is_full()
    {
        var mount = Directory.CreateDirectory(_root.Path1("small")).FullName;
        var reference = _root.Layout("lay", "head -c 3000000 /dev/urandom > f && mkdir -p " + string.Join(' ', Enumerable.Range(0, 50).Select(i => "d" + i)));
        _root.Shell($"mount -t tmpfs -o size=4m none {mount}");
        try
        {
            using var small = new ImageRoot(mount);
            (await ((Func<Task>)(() => small.FetchAsync(reference))).Should().ThrowAsync<MusterException>()).Which.Kind.Should().Be(ErrorKind.Exhausted);
            small.ShouldBeEmpty();
        }
        finally
        {
            _root.Shell($"umount {mount}");
        }
    }

    [Fact]
    public async Task Is_sound_after_a_kill_at_any_point_of_a_fetch()
    {
        var reference = _root.Layout("lay", "head -c 6000000 /dev/urandom > f && for i in $(seq 400); do echo $i > $i; done");
        var muster = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Muster.Cli/debug/muster.dll"));
        File.Exists(muster).Should().BeTrue();
        var whole = 0;
        for (var delay = 60; delay <= 420; delay += 24)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet", [muster, "--root", _root.Root.Directory!, "fetch", "--insecure-options=image", reference]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            await Task.Delay(delay, Token);
            process.Kill();
            await process.WaitForExitAsync(Token);
            if (_root.Store.Find(reference) is { } image)
            {
                whole++;
                (await new ImageVerifier(_root.Store).VerifyAsync(image.Record, null, Token)).Should().BeEmpty();
                await _root.Store.RemoveAsync(image.Record.Id, Token);
            }
        }

        var fetched = await _root.FetchAsync(reference);
        (await new ImageVerifier(_root.Store).VerifyAsync(fetched.Record, null, Token)).Should().BeEmpty();
        await _root.Store.RemoveAsync(fetched.Record.Id, Token);
        await _root.Store.CollectGarbageAsync(new GarbageOptions(TimeSpan.Zero, true), Token);
        Directory.EnumerateFiles(_root.Root.Images + "/refs", "*.json", SearchOption.AllDirectories).Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(_root.Root.Images + "/tmp").Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(_root.Root.Images + "/trees").Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(_root.Root.Images + "/blobs/sha256").Should().BeEmpty();
        TestContext.Current.SendDiagnosticMessage($"{whole} of the killed fetches had finished");
    }

    [Fact]
    public void Says_what_to_do_about_a_damaged_record()
    {
        Directory.CreateDirectory(_root.Root.Images + "/refs/names");
        File.WriteAllText($"{_root.Root.Images}/refs/names/{StorePaths.Escape("example.com/a")}.json", "{\"reference\":1}");
        ((Action)(() => _root.Store.Find("example.com/a"))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Corrupt);
    }

    public void Dispose() => _root.Dispose();
}
