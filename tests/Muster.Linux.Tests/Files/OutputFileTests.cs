using System.Text;
using Muster.Core;

namespace Muster.Linux.Tests.Files;

/// <summary>Files that users name; what stands at the name may be anything.</summary>
public sealed class OutputFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-output-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Replaces_a_file_and_keeps_its_mode()
    {
        File.WriteAllText(At("a"), "a longer text than the new one");
        File.SetUnixFileMode(At("a"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        OutputFile.Write(At("a"), "new");
        File.ReadAllText(At("a")).Should().Be("new");
        File.GetUnixFileMode(At("a")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        Alone("a");
    }

    [Fact]
    public void Goes_through_links_and_leaves_them()
    {
        Directory.CreateDirectory(At("there"));
        File.WriteAllText(At("there/file"), "old");
        File.CreateSymbolicLink(At("one"), "two");
        File.CreateSymbolicLink(At("two"), "there/file");
        File.CreateSymbolicLink(At("none"), "there/new");
        OutputFile.Write(At("one"), "new");
        OutputFile.Write(At("none"), "made");
        File.ReadAllText(At("there/file")).Should().Be("new");
        File.ReadAllText(At("there/new")).Should().Be("made");
        new FileInfo(At("one")).LinkTarget.Should().Be("two");
        Alone("there", "one", "two", "none");
        Directory.GetFileSystemEntries(At("there")).Should().HaveCount(2);
    }

    [Fact]
    public void Both_names_of_a_file_stay_names_of_it()
    {
        File.WriteAllText(At("a"), "a longer old text");
        Exclusive.TryLink(At("a"), At("b")).Should().BeTrue();
        OutputFile.Write(At("a"), "new");
        File.ReadAllText(At("b")).Should().Be("new");
        Alone("a", "b");
    }

    [Fact]
    public async Task Writes_into_a_pipe_in_place()
    {
        ProgramRunFifo(At("pipe"));
        File.CreateSymbolicLink(At("link"), "pipe");
        var read = Task.Run(() => File.ReadAllText(At("pipe")), TestContext.Current.CancellationToken);
        OutputFile.Write(At("link"), "through");
        (await read).Should().Be("through");
        FileStatus.Find(At("pipe"))!.Value.Type.Should().Be(FileStatus.Fifo);
        Alone("pipe", "link");
    }

    [Fact]
    public void Adds_to_what_a_descriptor_of_this_process_stands_for()
    {
        File.WriteAllText(At("log"), "before ");
        // O_APPEND, as a shell opens it with >>.
        var open = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(At("log")), FileCalls.WriteOnly | 0x400);
        File.CreateSymbolicLink(At("stdout"), $"/proc/self/fd/{open}");
        OutputFile.Write(At("stdout"), "page ");
        Descriptors.WriteAll(open, "after"u8).Should().BeTrue();
        Descriptors.Close(open);

        File.ReadAllText(At("log")).Should().Be("before page after");
        Alone("log", "stdout");
    }

    [Fact]
    public void Leaves_nothing_after_a_failure()
    {
        Directory.CreateDirectory(At("folder"));
        FluentActions.Invoking(() => OutputFile.Write(At("folder"), "x")).Should().Throw<MusterException>().WithMessage("*is a folder*");
        FluentActions.Invoking(() => OutputFile.Write(At("no/such"), "x")).Should().Throw<MusterException>().WithMessage("*cannot be written*");
        File.WriteAllText(At("a"), "old");
        using (var file = OutputFile.Begin(At("a")))
        {
            file.Stream.Write(Encoding.ASCII.GetBytes("half"));
        }

        using (var file = OutputFile.Begin(At("b")))
        {
            file.Stream.Write(Encoding.ASCII.GetBytes("half"));
        }

        File.ReadAllText(At("a")).Should().Be("old");
        Alone("folder", "a");
    }

    [Fact]
    public void Replaces_nothing_that_it_must_not()
    {
        File.WriteAllText(At("a"), "old");
        FluentActions.Invoking(() => OutputFile.Begin(At("a"), overwrite: false)).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Conflict);
        using var file = OutputFile.Begin(At("b"), overwrite: false);
        File.WriteAllText(At("b"), "meanwhile");
        FluentActions.Invoking(file.Commit).Should().Throw<IOException>();
        file.Dispose();
        File.ReadAllText(At("b")).Should().Be("meanwhile");
        Alone("a", "b");
    }

    private static void ProgramRunFifo(string path) => Muster.TestKit.ProgramRun.Of("mkfifo", [path]).Succeeded();

    private void Alone(params string[] names) => Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Should().BeEquivalentTo(names);

    private string At(string name) => Path.Combine(_folder, name);
}
