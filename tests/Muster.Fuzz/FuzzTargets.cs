namespace Muster.Fuzz;

/// <summary>Takes any bytes; what it throws is a fault of the parser.</summary>
public delegate void FuzzTarget(ReadOnlySpan<byte> data);

/// <summary>Every target, by the name that <c>Muster.Fuzz list</c> shows, with the inputs that mutation starts from.</summary>
public static class FuzzTargets
{
    private static readonly byte[] Json = """{"a":[1,-2.5,"b\u00e4",null,true],"schemaVersion":2,"name":"x","config":{"digest":"sha256:00","size":3}}"""u8.ToArray();

    private static readonly byte[] Tar = MakeTar();

    public static IReadOnlyDictionary<string, (FuzzTarget Run, IReadOnlyList<byte[]> Seeds)> All { get; } = new SortedDictionary<string, (FuzzTarget, IReadOnlyList<byte[]>)>(StringComparer.Ordinal)
    {
        ["archive"] = (ArchiveTarget.Run, ArchiveTarget.Seeds),
        ["cgroup"] = (CgroupTarget.Run, CgroupTarget.Seeds),
        ["cni"] = (CniTarget.Run, [Json, """{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"bridge"}]}"""u8.ToArray(), """{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"}],"interfaces":[{"name":"eth0"}]}"""u8.ToArray()]),
        ["command-words"] = (CommandWordsTarget.Run, CommandWordsTarget.Seeds),
        ["derived"] = (DerivedTarget.Run, DerivedTarget.Seeds),
        ["http"] = (HttpTarget.Run, ["GET /acMetadata/v1/pod/uuid HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b"u8.ToArray(), "a=b&c=%20d+e"u8.ToArray()]),
        ["kernel-text"] = (KernelTextTarget.Run, KernelTextTarget.Seeds),
        ["manifest"] = (ManifestTarget.Run, [Json, """{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a","app":{"exec":["/a"],"user":"0","group":"0"}}"""u8.ToArray(), "name: example.com/a\nfrom: oci:./x\nexec: [/bin/sh]\n"u8.ToArray()]),
        ["meta-tags"] = (MetaTagsTarget.Run, ["<html><head><meta name=\"ac-discovery\" content=\"example.com https://example.com/{name}-{version}.{ext}\"></head>"u8.ToArray()]),
        ["netlink"] = (NetlinkTarget.Run, [[32, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]),
        ["network-text"] = (NetworkTextTarget.Run, ["name: blue\nsubnet: 10.1.0.0/24\n"u8.ToArray(), Json, "127.0.0.1:8080:80/tcp"u8.ToArray(), "nameserver 10.0.0.1\nsearch a b\n"u8.ToArray()]),
        ["openpgp"] = (OpenPgpTarget.Run, [[0x99, 0, 13, 4, 0, 0, 0, 0, 1, 0, 8, 255, 0, 8, 17], "-----BEGIN PGP SIGNATURE-----\n\niQAzBAABCAAdFiEE\n=AAAA\n-----END PGP SIGNATURE-----\n"u8.ToArray()]),
        ["pcp-wire"] = (PcpWireTarget.Run, PcpWireTarget.Seeds),
        ["pmapi"] = (PmapiTarget.Run, PmapiTarget.Seeds),
        ["pod-manifest"] = (PodManifestTarget.Run, PodManifestTarget.Seeds),
        ["private-key"] = (PrivateKeyTarget.Run, PrivateKeyTarget.Seeds),
        ["reference"] = (ReferenceTarget.Run, ["docker://localhost:5000/a/b:1@sha256:0000"u8.ToArray(), "oci:./x:1"u8.ToArray(), "example.com/a:1,os=linux"u8.ToArray()]),
        ["registry-files"] = (RegistryFilesTarget.Run, [Json, "[[registry]]\nprefix = \"a\"\nlocation = 'b'\n[[registry.mirror]]\nlocation = \"c\"\n"u8.ToArray(), "Bearer realm=\"https://a/t\",service=\"b\",scope=\"c\""u8.ToArray()]),
        ["settings"] = (SettingsTarget.Run, SettingsTarget.Seeds),
        ["signed-statement"] = (SignedStatementTarget.Run, [Json, """{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"sha256:0"},"identity":{"docker-reference":"a"}},"optional":{}}"""u8.ToArray()]),
        ["tar-reader"] = (TarReaderTarget.Run, [Tar]),
    };

    private static byte[] MakeTar()
    {
        using var stream = new MemoryStream();
        using (var writer = new System.Formats.Tar.TarWriter(stream, System.Formats.Tar.TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.Directory, "folder/"));
            writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "folder/" + new string('n', 120)) { DataStream = new MemoryStream("content"u8.ToArray()) });
            writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.SymbolicLink, "link") { LinkName = "folder" });
        }

        return stream.ToArray();
    }
}
