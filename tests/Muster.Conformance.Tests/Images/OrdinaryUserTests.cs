using Muster.TestKit;

namespace Muster.Conformance.Tests.Images;

/// <summary>What an ordinary user can do with a root of its own, and the one sentence for what needs root.</summary>
public sealed class OrdinaryUserTests : IDisposable
{
    /// <summary>Debian's "nobody".</summary>
    private const string User = "65534";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "muster-user-" + Guid.NewGuid().ToString("N")[..8]);

    public OrdinaryUserTests()
    {
        // The published program may lie where this user cannot look.
        Shell($"mkdir {_folder} && cp {Repository.Program("muster")} {_folder}/ && mkdir -p {_folder}/image/files/bin && cp /usr/bin/busybox {_folder}/image/files/bin/ && chown -R {User}:{User} {_folder}");
        File.WriteAllText(_folder + "/image/image.yaml", "name: example.com/mine\nversion: \"1\"\ncopy: [{from: files, to: /}]\nexec: [/bin/busybox, sh]\n");
    }

    private string Root => _folder + "/root";

    public void Dispose() => Shell($"rm -rf {_folder}");

    [Fact]
    public void Looking_and_trusting_need_no_root()
    {
        Muster("image", "list").Succeeded();
        Muster("list").Succeeded();
        Muster("trust", "list").Succeeded();
        Muster("config").Succeeded();
        Muster("version").Succeeded();
        Muster("image", "gc").Succeeded();
    }

    [Fact]
    public void Running_is_refused_in_one_sentence_and_changes_nothing()
    {
        foreach (var words in new[] { new[] { "run", "--net=none", "example.com/mine:1" }, ["prepare", "example.com/mine:1"] })
        {
            var run = Muster(words);
            run.Status.Should().Be(254);
            run.Error.Should().StartWith("muster: ").And.Contain("root").And.HaveLength(run.Error.TrimEnd().Length + 1, "it is one sentence");
            Directory.Exists(Root + "/var/pods").Should().BeFalse();
        }
    }

    [Fact]
    public void An_image_of_files_that_are_the_users_own_is_built_exported_and_removed()
    {
        Shell($"sed -i 's/to: \\//to: \\/, owner: \"{User}:{User}\"/' {_folder}/image/image.yaml");
        Muster("image", "build", _folder + "/image").Succeeded();
        Muster("image", "list", "-q").Succeeded().Out.Trim().Should().NotBeEmpty();
        Muster("image", "export", "example.com/mine:1", $"oci-archive:{_folder}/out.tar:1").Succeeded();
        Shell($"skopeo inspect oci-archive:{_folder}/out.tar:1");
        Muster("image", "rm", "example.com/mine:1").Succeeded();
    }

    private ProgramRun Muster(params string[] words) => ProgramRun.Of("setpriv", [$"--reuid={User}", $"--regid={User}", "--clear-groups", "env", "HOME=" + _folder, _folder + "/muster", "--root", Root, .. words]);

    private static void Shell(string line) => ProgramRun.Of("/bin/sh", ["-ec", line]).Succeeded();
}
