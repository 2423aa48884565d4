namespace Muster.Linux.Tests.Files;

public sealed class DirectoryHandleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-names-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Gives_all_names_or_none_where_there_are_more_than_asked_for()
    {
        for (var i = 0; i < 10; i++)
        {
            File.WriteAllText(Path.Combine(_folder, $"file-{i}"), "");
        }

        using var folder = DirectoryHandle.Open(_folder);
        folder.NamesUpTo(9).Should().BeNull();
        folder.NamesUpTo(10).Should().HaveCount(10).And.BeEquivalentTo(folder.Names(), "what was refused before is read from its beginning");
    }

    [Fact]
    public void An_empty_folder_has_no_more_names_than_none()
    {
        using var folder = DirectoryHandle.Open(_folder);
        folder.NamesUpTo(0).Should().BeEmpty();
    }
}
