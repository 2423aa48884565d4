namespace Muster.Linux.Tests.Files;

public sealed class FileLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-files-").FullName;

    [Fact]
    public void Is_exclusive_between_two_holders_in_one_process()
    {
        using (FileLock.TryTake(_folder + "/lock", exclusive: true))
        {
            FileLock.TryTake(_folder + "/lock", exclusive: true).Should().BeNull();
            FileLock.TryTake(_folder + "/lock", exclusive: false).Should().BeNull();
        }

        using var first = FileLock.TryTake(_folder + "/lock", exclusive: false);
        using var second = FileLock.TryTake(_folder + "/lock", exclusive: false);
        second.Should().NotBeNull();
    }

    [Fact]
    public async Task Named_locks_exclude_each_other_and_leave_no_file()
    {
        var inside = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            using var held = await FileLock.TakeNamedAsync(_folder + "/named", TimeProvider.System, TestContext.Current.CancellationToken);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Yield();
            Interlocked.Decrement(ref inside);
        })));
        most.Should().Be(1);
        File.Exists(_folder + "/named").Should().BeFalse();
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_cancelled()
    {
        using var held = FileLock.TryTake(_folder + "/lock", exclusive: true);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await ((Func<Task>)(() => FileLock.TakeAsync(_folder + "/lock", exclusive: true, TimeProvider.System, stop.Token))).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public void Durable_files_replace_whole_and_leave_nothing_beside()
    {
        DurableFile.Write(_folder + "/f", "one"u8);
        DurableFile.Write(_folder + "/f", "two"u8);
        File.ReadAllText(_folder + "/f").Should().Be("two");
        Directory.EnumerateFileSystemEntries(_folder).Should().ContainSingle();
        ((Action)(() => DurableFile.Write(_folder + "/missing/f", "x"u8))).Should().Throw<LinuxException>().Which.Errno.Should().Be(Errno.ENOENT);
    }

    [Fact]
    public void Removes_trees_without_following_links()
    {
        Directory.CreateDirectory(_folder + "/keep");
        File.WriteAllText(_folder + "/keep/file", "safe");
        var deep = _folder + "/tree" + string.Concat(Enumerable.Repeat("/d", 300));
        Directory.CreateDirectory(deep);
        File.CreateSymbolicLink(_folder + "/tree/link", _folder + "/keep");
        DirectoryHandle.RemoveAll(_folder + "/tree");
        Directory.Exists(_folder + "/tree").Should().BeFalse();
        File.ReadAllText(_folder + "/keep/file").Should().Be("safe");
        DirectoryHandle.RemoveAll(_folder + "/tree");
    }

    [Fact]
    public void Removes_trees_whose_names_are_no_text_and_that_are_deeper_than_a_path_is_long()
    {
        Directory.CreateDirectory(_folder + "/keep");
        File.WriteAllText(_folder + "/keep/file", "safe");
        Directory.CreateDirectory(_folder + "/tree");
        using (var tree = DirectoryHandle.Open(_folder + "/tree"))
        {
            // As text both names are the same: which of them a folder gives first is up to the file system.
            for (byte i = (byte)'a'; i <= (byte)'z'; i++)
            {
                FileCalls.MakeDirectory(tree.Descriptor, [i, 0xff, 0], 0x1ff).Should().Be(0);
                FileCalls.MakeSymlink(FileCalls.Terminated(_folder + "/keep"), tree.Descriptor, FileCalls.Terminated((char)i + "\ufffd")).Should().Be(0);
            }
        }

        var name = FileCalls.Terminated(new string('d', 200));
        var inner = DirectoryHandle.Open(_folder + "/tree");
        for (var depth = 0; depth < 5000; depth++)
        {
            FileCalls.MakeDirectory(inner.Descriptor, name, 0x1ff).Should().Be(0);
            FileCalls.MakeDirectory(inner.Descriptor, ".deep-0\0"u8, 0x1ff).Should().Be(0);
            var next = inner.TryOpen(name)!;
            inner.Dispose();
            inner = next;
        }

        inner.Dispose();
        DirectoryHandle.RemoveAll(_folder + "/tree");
        Path.Exists(_folder + "/tree").Should().BeFalse();
        File.ReadAllText(_folder + "/keep/file").Should().Be("safe");
    }

    public void Dispose() => DirectoryHandle.RemoveAll(_folder);
}
