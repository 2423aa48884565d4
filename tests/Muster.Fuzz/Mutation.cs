namespace Muster.Fuzz;

/// <summary>Inputs near given ones: flipped, cut, repeated, spliced. The same seed makes the same inputs.</summary>
public static class Mutation
{
    /// <summary>The largest input made: parsers have limits of their own, and small inputs are tried faster.</summary>
    public const int MaxBytes = 64 * 1024;

    private static readonly byte[][] Tokens =
    [
        [0], [0xff], [0xc3, 0x28], "\n"u8.ToArray(), "\0\0\0\0"u8.ToArray(), "\"\\ud800\""u8.ToArray(), "-1"u8.ToArray(), "0"u8.ToArray(),
        "99999999999999999999"u8.ToArray(), "1e999"u8.ToArray(), "null"u8.ToArray(), "true"u8.ToArray(), "{}"u8.ToArray(), "[]"u8.ToArray(), "../"u8.ToArray(),
        "="u8.ToArray(), ":"u8.ToArray(), ","u8.ToArray(), "--"u8.ToArray(), "---"u8.ToArray(), "%00"u8.ToArray(), "[[[[[[[["u8.ToArray(),
    ];

    /// <summary>The seeds themselves, then <paramref name="count"/> inputs made from them.</summary>
    public static IEnumerable<byte[]> Of(IReadOnlyList<byte[]> seeds, int seed, int count)
    {
        foreach (var input in seeds)
        {
            yield return input;
        }

#pragma warning disable CA5394 // Repeatable, not secret.
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            yield return Once(seeds, random);
        }
    }

    /// <summary>One input made from the corpus by a few changes.</summary>
    public static byte[] Once(IReadOnlyList<byte[]> corpus, Random random)
    {
        var data = new List<byte>(corpus[random.Next(corpus.Count)]);
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            Change(data, corpus, random);
        }

        return data.Count <= MaxBytes ? [.. data] : [.. data.Take(MaxBytes)];
    }

    private static void Change(List<byte> data, IReadOnlyList<byte[]> corpus, Random random)
    {
        var at = random.Next(data.Count + 1);
        var length = random.Next(Math.Min(data.Count - at, 32) + 1);
        switch (random.Next(7))
        {
            case 0 when at < data.Count:
                data[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < data.Count:
                data[at] = (byte)random.Next(256);
                break;
            case 2:
                data.RemoveRange(at, length);
                break;
            case 3:
                data.InsertRange(at, data.GetRange(at, length));
                break;
            case 4:
                data.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                break;
            case 5:
                var other = corpus[random.Next(corpus.Count)];
                var from = random.Next(other.Length + 1);
                data.RemoveRange(at, data.Count - at);
                data.AddRange(other.AsSpan(from).ToArray());
                break;
            default:
                data.RemoveRange(at, length);
                data.InsertRange(at, Tokens[random.Next(Tokens.Length)]);
                break;
        }
#pragma warning restore CA5394
    }
}
