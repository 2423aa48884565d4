using System.Text;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images;

/// <summary>Where the store keeps what: only computes paths, but for <see cref="MakeFolders"/>.</summary>
internal sealed class StorePaths(MusterRoot root)
{
    public string Base { get; } = root.Images;

    public string Blobs => Base + "/blobs/sha256";

    public string Trees => Base + "/trees";

    /// <summary>One JSON file per image: <see cref="ImageRecord"/>.</summary>
    public string Images => Base + "/refs/images";

    /// <summary>One JSON file per reference: <see cref="ReferenceRecord"/>.</summary>
    public string Names => Base + "/refs/names";

    /// <summary>Work that is not visible yet; each folder in it is locked by its living owner.</summary>
    public string Staging => Base + "/tmp";

    /// <summary>One lock file per thing being fetched.</summary>
    public string Locks => Base + "/locks";

    /// <summary>Held shared by whoever adds or uses trees, exclusive by the collection of garbage.</summary>
    public string StoreLock => Base + "/lock";

    public string Blob(Digest digest) => digest.Algorithm == "sha256"
        ? Blobs + "/" + digest.Hex
        : throw new MusterException(ErrorKind.Unsupported, $"The digest {digest} is not sha256, the only algorithm that blobs are kept by");

    public string Image(string id) => Images + "/" + id + ".json";

    public string Name(string reference) => Names + "/" + Escape(reference) + ".json";

    public string Tree(string id) => Trees + "/" + id;

    /// <summary>Makes every folder. Blobs, records and trees are for root alone: a tree holds setuid programs of foreign images.</summary>
    public void MakeFolders()
    {
        Directory.CreateDirectory(Base);
        foreach (var (path, mode) in new[] { (Base, 0x1c9u), (Base + "/blobs", 0x1c0u), (Blobs, 0x1c0u), (Trees, 0x1c0u), (Base + "/refs", 0x1c0u), (Images, 0x1c0u), (Names, 0x1c0u), (Staging, 0x1c0u), (Locks, 0x1c0u) })
        {
            var name = FileCalls.Terminated(path);
            if (FileCalls.MakeDirectory(FileCalls.AtCurrentDirectory, name, mode) == 0 || path == Base)
            {
                LinuxException.Check(FileCalls.ChangeMode(FileCalls.AtCurrentDirectory, name, mode), "chmod", path);
            }
            else if (FileCalls.Error != Errno.EEXIST)
            {
                throw LinuxException.Last("mkdir", path);
            }
        }
    }

    /// <summary>A file name for any reference: what is not a letter, digit, dot, dash or underscore becomes %XX; very long ones their hash.</summary>
    public static string Escape(string reference)
    {
        // 255 bytes is the longest name; ".json" and the unfinished file's ending need room.
        const int longest = 200;
        var name = new StringBuilder(reference.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(reference))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' || (b == '.' && name.Length > 0))
            {
                name.Append((char)b);
            }
            else
            {
                name.Append('%').Append(b.ToString("X2"));
            }
        }

        return name.Length <= longest ? name.ToString() : "%" + Digest.Sha256(Encoding.UTF8.GetBytes(reference)).Hex;
    }
}
