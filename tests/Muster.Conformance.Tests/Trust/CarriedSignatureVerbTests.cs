using Muster.Images.Tests.Trust;
using Muster.TestKit;

namespace Muster.Conformance.Tests.Trust;

/// <summary>A signed image on its way through roots and files, by the program alone.</summary>
public sealed class CarriedSignatureVerbTests : IDisposable
{
    private readonly TestRoot _root = new();
    private readonly GpgHome _gpg = new();

    public void Dispose()
    {
        _gpg.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void A_signed_image_goes_to_another_root_and_out_again_with_its_signature()
    {
        Directory.CreateDirectory(_root.Work + "/aci/rootfs");
        File.WriteAllText(_root.Work + "/aci/manifest", """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/x"],"user":"0","group":"0"}}""");
        var aci = ToolRun.Run("tar", ["-C", _root.Work + "/aci", "-cz", "manifest", "rootfs"]);
        File.WriteAllBytes(_root.Work + "/app.aci", aci);
        File.WriteAllBytes(_root.Work + "/app.aci.asc", _gpg.Sign(_gpg.Ed25519, aci));
        File.WriteAllBytes(_root.Work + "/key.asc", _gpg.Export(_gpg.Ed25519));
        var other = _root.Work + "/other";
        _root.Muster("trust", "--prefix", "example.com", "--skip-fingerprint-review", _root.Work + "/key.asc").Succeeded();
        _root.Muster("fetch", _root.Work + "/app.aci").Succeeded();
        _root.Muster("image", "copy", "--to-root=" + other, "example.com/app:1").Should().Match<ProgramRun>(r => r.Status == 254 && r.Error.Contains("not trusted"));
        Other("trust", "--prefix", "example.com", "--skip-fingerprint-review", _root.Work + "/key.asc").Succeeded();
        _root.Muster("image", "copy", "--to-root=" + other, "example.com/app:1").Succeeded();
        Other("image", "verify", "--signature", "--format=json", "example.com/app:1").Succeeded().Out.Should().Contain("\"kept\"").And.Contain("\"accepted\": true");
        Other("image", "export", "example.com/app:1", _root.Work + "/out.aci").Succeeded().Error.Should().BeEmpty();
        File.ReadAllBytes(_root.Work + "/out.aci").Should().Equal(aci);
        _gpg.Gpg(["--verify", _root.Work + "/out.aci.asc", _root.Work + "/out.aci"]);
        Other("image", "export", "example.com/app:1", $"oci-archive:{_root.Work}/out.tar:1").Succeeded().Error.Should().Contain("warning: the signature of the App Container image stays behind");

        ProgramRun Other(params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", other, .. words]);
    }
}
