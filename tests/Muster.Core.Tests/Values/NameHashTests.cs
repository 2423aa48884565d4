using System.Security.Cryptography;
using CsCheck;
using Muster.Core;

namespace Muster.Core.Tests.Values;

public sealed class NameHashTests
{
    [Fact]
    public void Equals_the_class_librarys_hash() =>
        Gen.Byte.Array[0, 300].Sample(data => NameHash.Sha256(data).AsSpan().SequenceEqual(SHA256.HashData(data)));
}
