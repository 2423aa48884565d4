using System.Text;

namespace Muster.Core.Tests.Configuration;

public sealed class GivenFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-given-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(16 * 1024 + 1)]
    [InlineData(100_000)]
    public void Reads_what_is_not_longer_than_allowed(int length)
    {
        var path = Write(length);
        GivenFile.Read(path, "a list", maxBytes: 100_000).Should().Equal(File.ReadAllBytes(path));
    }

    [Theory]
    [InlineData(99)]
    [InlineData(20_000)]
    public void Refuses_what_is_longer(int max)
    {
        FluentActions.Invoking(() => GivenFile.Read(Write(max + 1), "a list", max)).Should().Throw<MusterException>().Which.Message.Should().EndWith($"has more than {max} bytes: this is not a list");
        FluentActions.Invoking(() => GivenFile.Read("/dev/zero", "a list", max)).Should().Throw<MusterException>("the length that a device tells is 0");
    }

    [Fact]
    public void Says_what_it_is_not()
    {
        FluentActions.Invoking(() => GivenFile.Read(_folder, "a list")).Should().Throw<MusterException>().WithMessage($"{_folder} is a folder: name a list, which is a file");
        FluentActions.Invoking(() => GivenFile.Read(_folder + "/none", "a list")).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.NotFound);
    }

    [Fact]
    public void Reads_a_pipe_and_leaves_out_the_mark_of_UTF_8()
    {
        using var server = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        server.Write([.. Encoding.UTF8.Preamble, .. "a: ä\n"u8]);
        var path = $"/proc/self/fd/{server.GetClientHandleAsString()}";
        server.SafePipeHandle.Close();
        GivenFile.ReadText(path, "a list").Should().Be("a: ä\n");
    }

    private string Write(int length)
    {
        var path = Path.Combine(_folder, "file");
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
