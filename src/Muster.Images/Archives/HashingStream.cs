using System.Security.Cryptography;
using Muster.Core;

namespace Muster.Images.Archives;

/// <summary>Passes what is written on to another stream and hashes it.</summary>
internal sealed class HashingStream(Stream to, string algorithm) : WriteOnlyStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
    private long _length;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>The digest of everything written so far; starts anew.</summary>
    public Digest Finish() => Digest.FromHash(algorithm, _hash.GetHashAndReset());

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _hash.AppendData(buffer);
        _length += buffer.Length;
        to.Write(buffer);
    }

    public override void Flush() => to.Flush();

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        base.Dispose(disposing);
    }
}
