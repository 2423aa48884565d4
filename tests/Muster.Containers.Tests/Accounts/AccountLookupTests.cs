using Muster.Containers.Accounts;
using Muster.Core;
using Muster.Images;
using Muster.TestKit;

namespace Muster.Containers.Tests.Accounts;

public sealed class AccountLookupTests : IDisposable
{
    private readonly string _layer = Directory.CreateTempSubdirectory("muster-accounts-").FullName;

    public AccountLookupTests()
    {
        Directory.CreateDirectory(Path.Combine(_layer, "etc"));
        File.WriteAllText(Path.Combine(_layer, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001:web:/home/web:/bin/sh\r\n7:x:77:78:digits:/:/bin/sh\nshort:x:9\nbad:x:many:0:::\n");
        File.WriteAllText(Path.Combine(_layer, "etc", "group"), "root:x:0:\nweb:x:1001:\nextra:x:2000:root,web\nmore:x:2001:web\nothers:x:2002:webmaster\n");
        File.WriteAllText(Path.Combine(_layer, "owned"), "");
        ProgramRun.Of("/bin/chown", ["123:456", Path.Combine(_layer, "owned")]).Succeeded();
    }

    public void Dispose() => Directory.Delete(_layer, recursive: true);

    private Identity Resolve(ImageKind kind, string user, string? group, params uint[] more) => AccountLookup.Resolve(new LayeredRoot([_layer]), kind, user, group, more);

    [Theory]
    [InlineData("web", null, 1000, 1001, "/home/web", "2000 2001")]
    [InlineData("web", "extra", 1000, 2000, "/home/web", "")]
    [InlineData("web", "5", 1000, 5, "/home/web", "")]
    [InlineData("1000", null, 1000, 1001, "/home/web", "2000 2001")]
    [InlineData("4242", null, 4242, 0, null, "")]
    [InlineData("0", null, 0, 0, "/root", "2000")]
    [InlineData("7", null, 77, 78, "/", "")]
    public void Resolves_users_of_oci_images(string user, string? group, uint uid, uint gid, string? home, string more)
    {
        var identity = Resolve(ImageKind.Oci, user, group);
        (identity.Uid, identity.Gid, identity.Home, string.Join(' ', identity.SupplementaryGids)).Should().Be((uid, gid, home, more));
    }

    [Fact]
    public void Resolves_the_owner_of_a_file_for_app_container_images()
    {
        var identity = Resolve(ImageKind.Aci, "/owned", "/owned", 9);
        (identity.Uid, identity.Gid, identity.SupplementaryGids.Single()).Should().Be((123, 456, 9));
    }

    [Theory]
    [InlineData(ImageKind.Oci, "nobody", null)]
    [InlineData(ImageKind.Oci, "web", "nobody")]
    [InlineData(ImageKind.Oci, "/owned", null)]
    [InlineData(ImageKind.Oci, "short", null)]
    [InlineData(ImageKind.Oci, "bad", null)]
    [InlineData(ImageKind.Oci, "-1", null)]
    [InlineData(ImageKind.Oci, "4294967296", null)]
    [InlineData(ImageKind.Aci, "/missing", "0")]
    [InlineData(ImageKind.Aci, "0", "/missing")]
    public void Refuses_who_cannot_be_found(ImageKind kind, string user, string? group) =>
        FluentActions.Invoking(() => Resolve(kind, user, group)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid && !e.Message.Contains('\n'));

    [Fact]
    public void Resolves_numbers_in_an_image_without_accounts()
    {
        File.Delete(Path.Combine(_layer, "etc", "passwd"));
        File.Delete(Path.Combine(_layer, "etc", "group"));
        Resolve(ImageKind.Oci, "0", null).Should().BeEquivalentTo(new Identity(0, 0, [], null));
    }
}
