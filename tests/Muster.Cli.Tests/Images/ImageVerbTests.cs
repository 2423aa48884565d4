using Muster.TestKit;

namespace Muster.Cli.Tests.Images;

/// <summary>What the verbs of images say and refuse, as a user types them, upon one image built here.</summary>
public sealed class ImageVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-images-").FullName;

    public ImageVerbTests()
    {
        Directory.CreateDirectory(_folder + "/app");
        File.WriteAllText(_folder + "/app/file", "hello\n");
        File.WriteAllText(_folder + "/app/image.yaml", "name: example.com/app\nversion: \"1\"\ntype: aci\ncopy:\n  - {from: file, to: /file}\nexec: [/file]\n");
        Muster("image", "build", _folder + "/app").Succeeded();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("export", "name")]
    [InlineData("export", "name.tar")]
    [InlineData("export", "folder")]
    [InlineData("push", "name")]
    [InlineData("copy", "name.oci")]
    public void A_path_that_does_not_say_what_to_write_is_refused_and_nothing_is_written(string verb, string name)
    {
        Directory.CreateDirectory(_folder + "/folder");
        var refused = Muster("image", verb, "example.com/app:1", $"{_folder}/{name}");
        refused.Status.Should().Be(2, refused.Error);
        refused.Error.Should().Contain("does not say what kind").And.ContainAll("FILE.aci", "oci:DIR", "oci-archive:FILE", "docker://");
        File.Exists($"{_folder}/{name}").Should().BeFalse();
        Directory.EnumerateFileSystemEntries(_folder + "/folder").Should().BeEmpty();
    }

    [Fact]
    public void A_wrong_destination_is_refused_before_the_image_is_fetched()
    {
        Muster("image", "export", "example.com/app:1", _folder + "/app.aci").Succeeded();
        var other = Captured.Muster("--root", _folder + "/other", "image", "copy", "--insecure-options=image", _folder + "/app.aci", _folder + "/name");
        other.Status.Should().Be(2, other.Error);
        Captured.Muster("--root", _folder + "/other", "image", "list", "-q").Succeeded().Out.Should().BeEmpty();
    }

    [Fact]
    public void A_name_that_says_what_to_write_is_taken()
    {
        Muster("image", "export", "example.com/app:1", _folder + "/app.aci").Succeeded();
        Muster("image", "export", "example.com/app:1", $"file://{_folder}/name").Succeeded();
        File.ReadAllBytes(_folder + "/name").Should().Equal(File.ReadAllBytes(_folder + "/app.aci"));
    }

    [Fact]
    public void One_image_is_told_in_the_singular()
    {
        Muster("image", "verify").Succeeded().Out.Should().Be("1 image: nothing differs\n");
        Muster("image", "gc", "--unused", "--grace-period=0s").Succeeded().Out.Should().StartWith("removed 1 image, 1 tree, 1 blob, 0 leftovers: ");
    }

    private ProgramRun Muster(params string[] words) => Captured.Muster(["--root", _folder + "/root", .. words]);
}
