using System.Text;

namespace Muster.Linux.Tests.Files;

public sealed class RegularFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-regular").FullName;

    public void Dispose() => DirectoryHandle.RemoveAll(_folder);

    [Fact]
    public void Opens_files_and_nothing_else()
    {
        using var folder = DirectoryHandle.Open(_folder);
        Directory.CreateDirectory(_folder + "/d");
        File.WriteAllText(_folder + "/d/file", "text");
        File.CreateSymbolicLink(_folder + "/link", "d/file");
        File.CreateSymbolicLink(_folder + "/dlink", "d");
        FileCalls.MakeNode(folder.Descriptor, "pipe\0"u8, FileStatus.Fifo | 0x1b6, 0, 0).Should().Be(0);
        FileCalls.MakeNode(folder.Descriptor, "device\0"u8, FileStatus.CharacterDevice | 0x1b6, 1, 5).Should().Be(0);
        using (var file = RegularFile.TryOpen(folder.Descriptor, "d/file\0"u8, out var isOther)!)
        {
            new StreamReader(file).ReadToEnd().Should().Be("text");
            isOther.Should().BeFalse();
        }

        // The pipe would wait for somebody who writes.
        foreach (var name in (string[])["link", "dlink/file", "pipe", "device", "d"])
        {
            RegularFile.TryOpen(folder.Descriptor, Encoding.UTF8.GetBytes(name + "\0"), out var isOther).Should().BeNull(name);
            isOther.Should().BeTrue(name);
        }

        RegularFile.TryOpen(folder.Descriptor, "missing\0"u8, out var other).Should().BeNull();
        other.Should().BeFalse();
        RegularFile.TryOpen(folder.Descriptor, "../etc/passwd\0"u8, out _).Should().BeNull();
    }
}
