using System.Diagnostics;
using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Tests;

/// <summary>A temporary folder with a store in it; gone after the test.</summary>
public sealed class ImageRoot : IDisposable
{
    public ImageRoot(string? at = null)
    {
        Folder = Directory.CreateDirectory(Path.Combine(at ?? Path.GetTempPath(), "muster-images-" + Guid.NewGuid().ToString("N"))).FullName;
        Root = new MusterRoot(Directory.CreateDirectory(Folder + "/root").FullName);
        Store = new ImageStore(Root, TimeProvider.System);
    }

    public static FetchOptions Unverified { get; } = new() { Insecure = InsecureOptions.Image };

    public string Folder { get; }

    public MusterRoot Root { get; }

    public ImageStore Store { get; }

    public string Path1(string name) => Folder + "/" + name;

    public Task<StoredImage> FetchAsync(string reference) => new ImageFetcher(Store).ResolveAsync(reference, Unverified, TestContext.Current.CancellationToken);

    /// <summary>Writes a file and the folders above it.</summary>
    public string Write(string name, string content)
    {
        var path = Path1(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>An ACI made by the system's tar: a manifest and files below rootfs.</summary>
    public string Aci(string file, string manifest, params (string Path, string Content)[] files)
    {
        var source = "aci-" + Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(Path1(source + "/rootfs"));
        Write(source + "/manifest", manifest);
        foreach (var (path, content) in files)
        {
            Write($"{source}/rootfs/{path}", content);
        }

        Shell($"tar -C {source} -cf {file} rootfs manifest");
        return Path1(file);
    }

    /// <summary>Runs a line of shell in the folder; fails with its output.</summary>
    public string Shell(string line)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec 2>&1; set -e; " + line]) { WorkingDirectory = Folder, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{line}\nended with {process.ExitCode}:\n{output}");
    }

    /// <summary>A layout with one layer made of a tar file (gzip).</summary>
    public string Layout(string name, string setUp)
    {
        Shell($"umoci init --layout {name} && umoci new --image {name}:latest && mkdir {name}-root && cd {name}-root && ({setUp}) && cd .. && umoci insert --image {name}:latest {name}-root / && umoci config --image {name}:latest --config.entrypoint /bin/app --config.cmd -v --config.user 5:6 --config.exposedports 80/tcp --config.volume /data --config.env A=b --config.workingdir /srv");
        return "oci:" + Path1(name) + ":latest";
    }

    /// <summary>Nothing half-made is left anywhere in the store.</summary>
    public void ShouldBeClean()
    {
        if (!Directory.Exists(Root.Images))
        {
            return;
        }

        Directory.EnumerateFileSystemEntries(Root.Images + "/tmp").Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(Root.Images + "/locks").Select(Path.GetFileName).Should().BeSubsetOf(["staging"]);
        Directory.EnumerateFiles(Root.Images + "/refs", "*.new-*", SearchOption.AllDirectories).Should().BeEmpty();
    }

    public void ShouldBeEmpty()
    {
        ShouldBeClean();
        if (Directory.Exists(Root.Images))
        {
            foreach (var folder in new[] { "trees", "blobs/sha256", "refs/images", "refs/names" })
            {
                Directory.EnumerateFileSystemEntries(Root.Images + "/" + folder).Should().BeEmpty();
            }
        }
    }

    public void Dispose() => DirectoryHandle.RemoveAll(Folder);
}

/// <summary>Archives made entry by entry.</summary>
internal static class TestTar
{
    public static byte[] Make(params TarEntry[] entries) => Make(entries.Select(e => (e, new byte[e.Size])).ToArray());

    public static byte[] Make(params (TarEntry Entry, byte[] Content)[] entries)
    {
        using var to = new MemoryStream();
        var tar = new TarWriter(to);
        foreach (var (entry, content) in entries)
        {
            tar.Write(entry);
            tar.WriteData(content);
        }

        tar.Finish();
        return to.ToArray();
    }

    public static TarEntry File(string name, uint mode = 0x1a4, long size = 0, uint uid = 0, uint gid = 0) =>
        new() { Type = TarEntryType.File, Name = Encoding.UTF8.GetBytes(name), Mode = mode, Size = size, StoredSize = size, Uid = uid, Gid = gid, ModifiedSeconds = 1_000_000_000 };

    public static TarEntry Folder(string name, uint mode = 0x1ed, uint gid = 0) =>
        new() { Type = TarEntryType.Directory, Name = Encoding.UTF8.GetBytes(name), Mode = mode, Gid = gid, ModifiedSeconds = 1_000_000_000 };

    public static TarEntry Link(string name, string target, bool hard = false) =>
        new() { Type = hard ? TarEntryType.HardLink : TarEntryType.Symlink, Name = Encoding.UTF8.GetBytes(name), LinkName = Encoding.UTF8.GetBytes(target), Mode = 0x1ff };

    public static TarEntry Device(string name, uint major, uint minor) =>
        new() { Type = TarEntryType.CharacterDevice, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1b6, DeviceMajor = major, DeviceMinor = minor };

    /// <summary>Unpacks into an empty folder.</summary>
    public static void Extract(byte[] archive, string root, bool whiteouts = false, bool refuseDuplicates = false)
    {
        Directory.CreateDirectory(root);
        using var reader = new TarReader(new MemoryStream(archive), TarLimits.Default);
        using var tree = new TreeExtractor(root, new ExtractionRules(whiteouts, refuseDuplicates), TarLimits.Default);
        while (reader.Next() is { } entry)
        {
            tree.Extract(entry, entry.Name, entry.LinkName, reader);
        }

        tree.Finish();
    }
}
