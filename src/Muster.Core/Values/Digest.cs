using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Muster.Core;

/// <summary>
/// An algorithm and a lower-case hex value. OCI writes it <c>sha256:HEX</c> (image-spec, descriptor.md), App Container
/// <c>sha512-HEX</c> (appc spec/types.md, Image ID); file names use the form with the dash.
/// </summary>
public readonly record struct Digest
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private Digest(string algorithm, string hex)
    {
        Algorithm = algorithm;
        Hex = hex;
    }

    /// <summary><c>sha256</c> or <c>sha512</c>.</summary>
    public string Algorithm { get; }

    /// <summary>64 or 128 lower-case hex digits.</summary>
    public string Hex { get; }

    /// <summary>The form safe for file names: <c>sha256-HEX</c>.</summary>
    public string FileName => Algorithm + "-" + Hex;

    private const int ManagedBytes = 64 * 1024;

    /// <summary>A digest from the raw hash of <paramref name="algorithm"/>.</summary>
    public static Digest FromHash(string algorithm, ReadOnlySpan<byte> hash) => new(algorithm, Convert.ToHexStringLower(hash));

    /// <summary>The sha256 digest of <paramref name="data"/>.</summary>
    public static Digest Sha256(ReadOnlySpan<byte> data)
    {
        // OpenSSL is faster from about a megabyte on, when its loading (3 ms at every start) is counted.
        if (data.Length <= ManagedBytes)
        {
            return FromHash("sha256", NameHash.Sha256(data));
        }

        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(data, hash);
        return FromHash("sha256", hash);
    }

    /// <summary>Reads <c>sha256:HEX</c>, <c>sha256-HEX</c> and the same for sha512; anything else is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.Length < 8 || (text[6] != ':' && text[6] != '-'))
        {
            return false;
        }

        var length = text.AsSpan(0, 6) switch
        {
            "sha256" => 64,
            "sha512" => 128,
            _ => 0,
        };
        if (length == 0 || text.Length != 7 + length || text.AsSpan(7).ContainsAnyExcept(HexDigits))
        {
            return false;
        }

        digest = new Digest(text[..6], text[7..]);
        return true;
    }

    /// <summary>Reads a digest or refuses it with a sentence.</summary>
    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new MusterException(ErrorKind.Invalid, $"\"{text}\" is not a digest: expected sha256: or sha512: followed by lower-case hex digits");

    /// <summary>The OCI form <c>sha256:HEX</c>.</summary>
    public override string ToString() => Algorithm + ":" + Hex;
}
