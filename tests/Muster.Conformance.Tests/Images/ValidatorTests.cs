using Muster.TestKit;

namespace Muster.Conformance.Tests.Images;

/// <summary>The App Container specification's own validator (appc/spec, ace) in a pod of ours, as its ace/README runs it.</summary>
public sealed class ValidatorTests : IDisposable
{
    private const string Sources = "/usr/share/gocode";

    private readonly TestRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void The_specifications_validator_finds_nothing_wrong()
    {
        var program = Path.Combine(_root.Work, "ace-validator");
        ProgramRun.Of("go", ["build", "-o", program, "github.com/appc/spec/ace"], environment: new Dictionary<string, string>
        {
            ["GO111MODULE"] = "off",
            ["GOPATH"] = Sources,
            ["CGO_ENABLED"] = "0",
            // Go's standard library is compiled once a checkout, not once a test.
            ["GOCACHE"] = Path.Combine(Repository.Folder, "artifacts", "go-cache"),
        }).Succeeded();
        Build("main", program, """
            "exec":["/ace-validator","main"],"user":"0","group":"0","workingDirectory":"/opt/acvalidator",
            "eventHandlers":[{"name":"pre-start","exec":["/ace-validator","prestart"]},{"name":"post-stop","exec":["/ace-validator","poststop"]}],
            "environment":[{"name":"IN_ACE_VALIDATOR","value":"correct"}],
            "isolators":[{"name":"resource/memory","value":{"limit":"1G"}}],
            "mountPoints":[{"name":"database","path":"/db"}],
            "ports":[{"name":"www","protocol":"tcp","port":80}]
            """);
        Build("sidekick", program, """
            "exec":["/ace-validator","sidekick"],"user":"0","group":"0","mountPoints":[{"name":"database","path":"/db"}]
            """);

        // The validator gives every request to the metadata service 100 ms (validator.go, metadataRequest), of which the service takes
        // two. With 40 busy processes on two CPUs one of ten runs fails, by that limit and at any request: hence three tries.
        var run = Run(1);
        for (var tries = 2; run.Status != 0 && tries <= 3; tries++)
        {
            run = Run(tries);
        }

        var said = run.Succeeded().Out + run.Error;
        said.Should().Contain("prestart OK").And.Contain("main OK").And.Contain("sidekick OK").And.Contain("poststop OK").And.NotContain("==>");
    }

    private ProgramRun Run(int number)
    {
        var database = Directory.CreateDirectory(Path.Combine(_root.Work, $"db{number}")).FullName;
        return _root.Muster("run", "--mds-register", $"--volume=database,kind=host,source={database}", "coreos.com/ace-validator-main", "coreos.com/ace-validator-sidekick");
    }

    private void Build(string name, string program, string app)
    {
        var folder = Path.Combine(_root.Work, name);
        Directory.CreateDirectory(Path.Combine(folder, "rootfs/opt/acvalidator"));
        Directory.CreateDirectory(Path.Combine(folder, "rootfs/db"));
        File.Copy(program, Path.Combine(folder, "rootfs/ace-validator"));
        var architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : "amd64";
        File.WriteAllText(Path.Combine(folder, "manifest"), $$"""
            {"acKind":"ImageManifest","acVersion":"0.8.11","name":"coreos.com/ace-validator-{{name}}",
             "labels":[{"name":"version","value":"0.8.11"},{"name":"os","value":"linux"},{"name":"arch","value":"{{architecture}}"}],"app":{ {{app}} } }
            """);
        _root.Muster("image", "build", folder).Succeeded();
    }
}
