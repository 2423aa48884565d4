#pragma warning disable CA1416 // Muster runs on Linux only; file modes exist there.
using System.Buffers;
using Muster.Core;
using Muster.Linux;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Images.Trust;

/// <summary>
/// rkt's key store (rkt, Documentation/signing-and-verification-guide.md): <c>trustedkeys/root.d/ID</c> for every image and
/// <c>trustedkeys/prefix.d/PREFIX…/ID</c> for images below a prefix, one key per file, the file named after the key.
/// An empty file masks a key of that name loaded before. Order: vendor root, local root, vendor prefix, local prefix,
/// outer folders before inner ones. The vendor's keys lie in <c>/usr/lib/muster</c> and count for the system root only.
/// </summary>
public sealed class TrustStore
{
    /// <summary>Folders looked through for one image name: longer names are not names of images.</summary>
    public const int MaxComponents = 32;

    /// <summary>Keys loaded for one image: each may cost public-key operations.</summary>
    public const int MaxKeys = 1000;

    private const int MaxComponentLength = 255;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string _local;
    private readonly string? _vendor;

    /// <summary>The store of <paramref name="root"/>; touches nothing.</summary>
    public TrustStore(MusterRoot root)
        : this(Path.Combine(root.Etc, "trustedkeys"), root.IsSystem ? "/usr/lib/muster/trustedkeys" : null)
    {
    }

    internal TrustStore(string local, string? vendor)
    {
        _local = local;
        _vendor = vendor;
    }

    /// <summary>Keys whose signatures are taken for <paramref name="identity"/> (an image name or <c>host[:port]/repository</c>); empty for keys of every image only.</summary>
    public IReadOnlyList<TrustedKey> KeysFor(string identity)
    {
        var keys = new Dictionary<string, TrustedKey>(StringComparer.Ordinal);
        foreach (var (folder, prefix, vendor) in Folders(identity))
        {
            foreach (var key in Load(folder, prefix, vendor))
            {
                if (key.IsMask)
                {
                    keys.Remove(key.Id);
                }
                else
                {
                    keys[key.Id] = key;
                }

                if (keys.Count > MaxKeys)
                {
                    throw new MusterException(ErrorKind.Exhausted, $"More than {MaxKeys} keys are trusted for \"{identity}\": move some of them to narrower prefixes");
                }
            }
        }

        return [.. keys.Values];
    }

    /// <summary>How a key stands towards an image, by a few stats, and the file that decides; opens nothing.</summary>
    public (KeyStanding Standing, string? Path) Find(string identity, string id)
    {
        CheckId(id);
        (KeyStanding Standing, string? Path) found = (KeyStanding.Absent, null);
        foreach (var (folder, _, _) in Folders(identity))
        {
            var file = new FileInfo(Path.Combine(folder, id));
            if (file.Exists)
            {
                found = (file.Length == 0 ? KeyStanding.Masked : KeyStanding.Trusted, file.FullName);
            }
        }

        return found;
    }

    /// <summary>
    /// The key file found by <see cref="Find"/> when it holds a revocation, for a new evaluation; null when it does not, which
    /// is told without any cryptography.
    /// </summary>
    public static PublicKeyFile? ReadIfRevoked(string path)
    {
        var bytes = Bytes(path);
        try
        {
            return !CosignPublicKey.IsPem(bytes) && OpenPgpCertificate.MentionsRevocation(bytes) ? Check(path, PublicKeyFile.Parse(bytes, path)) : null;
        }
        catch (MusterException e)
        {
            throw new MusterException(e.Kind, $"The trusted key {path} is damaged ({e.Message}): remove it and add it again with muster trust", e);
        }
    }

    /// <summary>Every key and mask, in load order.</summary>
    public IReadOnlyList<TrustedKey> List() => List(null);

    /// <summary>As <see cref="List()"/>; a file that cannot be used is told to <paramref name="fault"/> and left out, so that looking and removing still work.</summary>
    public IReadOnlyList<TrustedKey> List(Action<string>? fault)
    {
        var keys = new List<TrustedKey>();
        foreach (var (store, vendor) in Stores())
        {
            keys.AddRange(Load(Path.Combine(store, "root.d"), null, vendor, fault));
        }

        foreach (var (store, vendor) in Stores())
        {
            Walk(Path.Combine(store, "prefix.d"), "", vendor, 0, keys, fault);
        }

        return keys;
    }

    /// <summary>Trusts a key for a prefix, or for every image when it is null; returns the file. A mask of it is replaced.</summary>
    public string Add(PublicKeyFile key, string? prefix)
    {
        if (prefix is not null && !ImageIdentity.CanBegin(prefix.TrimEnd('/')))
        {
            throw Refused(prefix, "no image is called so, because names have no scheme, tag, digest, wildcards and capitals");
        }

        var folder = LocalFolder(prefix);
        var path = Path.Combine(folder, key.Id);
        Directory.CreateDirectory(folder);
        Write(path, key.Text);
        return path;
    }

    /// <summary>
    /// Ends the trust in a key for a prefix (null: every image): deletes the local file, and masks the vendor's with an
    /// empty one. Tells what was done.
    /// </summary>
    public KeyRemoval Remove(string id, string? prefix)
    {
        CheckId(id);
        var folder = LocalFolder(prefix);
        var path = Path.Combine(folder, id);
        var vendor = _vendor is null ? null : Path.Combine(Scope(_vendor, prefix), id);
        var masks = vendor is not null && new FileInfo(vendor) is { Exists: true, Length: > 0 };
        var local = new FileInfo(path);
        if (masks && local is { Exists: true, Length: 0 })
        {
            throw new MusterException(ErrorKind.Conflict, $"The key {id} is masked already, by {path}");
        }

        if (masks)
        {
            Directory.CreateDirectory(folder);
            Write(path, "");
            return new KeyRemoval(path, Masked: true);
        }

        if (!local.Exists)
        {
            throw new MusterException(ErrorKind.NotFound, $"The key {id} is not trusted {Scoped(prefix)}: muster trust list shows where it is");
        }

        File.Delete(path);
        return new KeyRemoval(path, Masked: false);
    }

    /// <summary>Words for a scope: <c>for images below "example.com"</c>.</summary>
    public static string Scoped(string? prefix) => prefix is null ? "for every image" : $"for images below \"{prefix}\"";

    /// <summary>Splits an image name or prefix into path components, refusing what could leave the store.</summary>
    public static IReadOnlyList<string> Components(string identity)
    {
        if (identity.Length == 0)
        {
            return [];
        }

        var components = identity.Split('/');
        if (components.Length > MaxComponents)
        {
            throw Refused(identity, $"it has more than {MaxComponents} parts");
        }

        foreach (var component in components)
        {
            if (component.Length is 0 or > MaxComponentLength || component is "." or ".." || component.AsSpan().ContainsAnyInRange('\0', ' '))
            {
                throw Refused(identity, $"\"{component}\" cannot be a part of it");
            }
        }

        return components;
    }

    private static MusterException Refused(string identity, string why) =>
        new(ErrorKind.Invalid, $"\"{identity}\" is not an image name or prefix: {why}; write it as host[:port]/path");

    private IEnumerable<(string Folder, string? Prefix, bool Vendor)> Folders(string identity)
    {
        var components = Components(identity);
        foreach (var (store, vendor) in Stores())
        {
            yield return (Path.Combine(store, "root.d"), null, vendor);
        }

        foreach (var (store, vendor) in Stores())
        {
            var folder = Path.Combine(store, "prefix.d");
            var prefix = "";
            yield return (folder, prefix, vendor);
            foreach (var component in components)
            {
                folder = Path.Combine(folder, component);
                prefix = prefix.Length == 0 ? component : prefix + "/" + component;
                if (FileStatus.Find(folder) is null)
                {
                    break;
                }

                yield return (folder, prefix, vendor);
            }
        }
    }

    private IEnumerable<(string Store, bool Vendor)> Stores()
    {
        if (_vendor is not null)
        {
            yield return (_vendor, true);
        }

        yield return (_local, false);
    }

    private static void Walk(string folder, string prefix, bool vendor, int depth, List<TrustedKey> keys, Action<string>? fault)
    {
        if (FileStatus.Find(folder) is null || depth > MaxComponents)
        {
            return;
        }

        keys.AddRange(Load(folder, prefix, vendor, fault));
        foreach (var inner in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(inner);
            Walk(inner, prefix.Length == 0 ? name : prefix + "/" + name, vendor, depth + 1, keys, fault);
        }
    }

    private static List<TrustedKey> Load(string folder, string? prefix, bool vendor, Action<string>? fault = null)
    {
        var keys = new List<TrustedKey>();
        if (FileStatus.Find(folder) is null)
        {
            return keys;
        }

        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            // Write() leaves such a name behind when it is killed; it was never a key.
            if (Path.GetFileName(path).StartsWith(".new-", StringComparison.Ordinal))
            {
                continue;
            }

            try
            {
                keys.Add(Read(path, prefix, vendor));
            }
            catch (MusterException e) when (fault is not null)
            {
                fault(e.Message);
            }
        }

        return keys;
    }

    private static TrustedKey Read(string path, string? prefix, bool vendor)
    {
        var name = Path.GetFileName(path);
        if (!IsId(name))
        {
            throw new MusterException(ErrorKind.Invalid, $"{path} lies among the trusted keys but is not named by a fingerprint: move it away, or add it with muster trust");
        }

        var bytes = Bytes(path);
        return new TrustedKey(name, path, prefix, vendor, bytes.Length == 0 ? null : Check(path, PublicKeyFile.Parse(bytes, path)));
    }

    private static PublicKeyFile Check(string path, PublicKeyFile key) => key.Id == Path.GetFileName(path)
        ? key
        : throw new MusterException(ErrorKind.Invalid, $"The trusted key {path} holds the key {key.Id}: a key file must be named by its own fingerprint, so remove it and add it with muster trust");

    private static byte[] Bytes(string path)
    {
        using var file = File.OpenHandle(path);
        if (File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherWrite))
        {
            throw new MusterException(ErrorKind.Forbidden, $"The trusted key {path} can be written by everybody: check it and run chmod o-w on it");
        }

        var length = RandomAccess.GetLength(file);
        if (length > OpenPgpLimits.MaxKeyBytes)
        {
            throw new MusterException(ErrorKind.Invalid, $"The trusted key {path} has {length} bytes, more than {OpenPgpLimits.MaxKeyBytes}: export it with --export-options export-minimal");
        }

        var bytes = new byte[length];
        var read = RandomAccess.Read(file, bytes, 0);
        return read == length ? bytes : bytes[..read];
    }

    private string LocalFolder(string? prefix) => Scope(_local, prefix);

    private static string Scope(string store, string? prefix)
    {
        if (prefix is null)
        {
            return Path.Combine(store, "root.d");
        }

        var components = Components(prefix);
        return components.Count > 0
            ? Path.Combine([store, "prefix.d", .. components])
            : throw new MusterException(ErrorKind.Invalid, "The prefix is empty: name one, or use --root for every image");
    }

    private static void Write(string path, string text)
    {
        var staged = Path.Combine(Path.GetDirectoryName(path)!, ".new-" + Guid.NewGuid().ToString("N"));
        try
        {
            File.WriteAllText(staged, text);
            File.SetUnixFileMode(staged, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.Move(staged, path, overwrite: true);
        }
        finally
        {
            File.Delete(staged);
        }
    }

    private static bool IsId(string name) => name.Length is 40 or 64 && !name.AsSpan().ContainsAnyExcept(HexDigits);

    private static void CheckId(string id)
    {
        if (!IsId(id))
        {
            throw new MusterException(ErrorKind.Invalid, $"\"{id}\" is not a key's fingerprint: 40 or 64 lower-case hex digits, as muster trust list shows");
        }
    }
}

/// <summary>How a key's trust was ended: its file was deleted, or an empty file now masks the vendor's.</summary>
public sealed record KeyRemoval(string Path, bool Masked);
