using System.Text;
using CsCheck;
using Muster.Core;
using Muster.Fuzz;
using Muster.Images.Archives;

namespace Muster.Images.Tests.Archives;

public sealed class TarReaderTests : IDisposable
{
    private readonly ImageRoot _root = new();

    private static readonly string MakeTree =
        "mkdir -p src/deep && cd src && echo hello > file && ln file hard && ln -s file soft && ln -s /etc/passwd out && mkfifo pipe && mknod null c 1 3"
        + " && truncate -s 3M sparse && printf x | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none && printf yy | dd of=sparse bs=1 seek=2500000 conv=notrunc status=none"
        + " && chmod 4755 file && chmod 2775 deep && chown 12:34 deep && touch -d '1969-12-31 23:59:58.5 UTC' file && echo deep > deep/file && chown 4000000:5000000 deep/file && touch -d 2001-02-03T04:05:06.123456789 deep";

    [Theory]
    [InlineData("--format=gnu", true)]
    [InlineData("--format=oldgnu", true)]
    [InlineData("--format=pax", true)]
    [InlineData("--format=gnu --sparse", true)]
    [InlineData("--format=pax --sparse --sparse-version=0.0", true)]
    [InlineData("--format=pax --sparse --sparse-version=0.1", true)]
    [InlineData("--format=pax --sparse --sparse-version=1.0", true)]
    [InlineData("--format=pax --xattrs", true)]
    [InlineData("--format=ustar --exclude=deep/file", false)]
    [InlineData("--format=v7 --exclude=deep/file --exclude=null --exclude=pipe", false)]
    public void Unpacks_what_GNU_tar_writes_as_GNU_tar_does(string options, bool longNames)
    {
        _root.Shell(MakeTree + (longNames ? $" && mkdir -p {new string('d', 120)}/{new string('e', 120)} && echo long > {new string('d', 120)}/{new string('e', 120)}/{new string('f', 200)} && ln -s {new string('t', 180)} {new string('l', 150)}" : " && touch -d @5 file"));
        using (var source = Muster.Linux.DirectoryHandle.Open(_root.Path1("src")))
        {
            Muster.Linux.ExtendedAttributes.Set(source.Descriptor, "file\0"u8, "user.note\0"u8, "value"u8).Should().Be(0);
        }

        _root.Shell($"tar -C src {options} -cf a.tar . && mkdir want && tar --xattrs --xattrs-include='*' --numeric-owner -C want -xpf a.tar");
        TestTar.Extract(File.ReadAllBytes(_root.Path1("a.tar")), _root.Path1("got"));
        TreeComparer.Compare(_root.Path1("got"), _root.Path1("want"), TestContext.Current.CancellationToken).Should().BeEmpty();
        if (options.Contains("sparse", StringComparison.Ordinal))
        {
            _root.Shell("test $(stat -c %b got/sparse) -lt 200");
        }
    }

    [Fact]
    public void Takes_the_last_global_header_of_a_key_and_bounds_all_of_them_together()
    {
        static byte[] Extended(char kind, string records) => [.. Header(kind == 'g' ? "global" : "own", records.Length, kind), .. Padded(Encoding.ASCII.GetBytes(records))];
        var archive = new MemoryStream([.. Extended('g', "9 uid=11\n" + "9 gid=22\n"), .. Extended('g', "9 uid=33\n"), .. Header("a", 0, '0'), .. Extended('x', "7 gid=\n"), .. Header("b", 0, '0'), .. new byte[1024]]);
        using var reader = new TarReader(archive, TarLimits.Default);
        reader.Next().Should().Match<TarEntry>(e => e.Uid == 33 && e.Gid == 22);
        reader.Next().Should().Match<TarEntry>(e => e.Uid == 33 && e.Gid == 0);
        reader.Next().Should().BeNull();

        // Every key is another one: what global headers say is kept to the archive's end.
        using var many = new MemoryStream();
        for (var i = 0; i < 10; i++)
        {
            many.Write(Extended('g', $"900010 k{i}=" + new string('v', 900_010 - 11) + "\n"));
        }

        many.Position = 0;
        using var bounded = new TarReader(many, TarLimits.Default);
        ((Action)(() => bounded.Next())).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }

    private static byte[] Padded(byte[] content) => [.. content, .. new byte[(512 - (content.Length % 512)) % 512]];

    private static byte[] Header(string name, int size, char kind)
    {
        var block = new byte[512];
        void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(block, at);
        Put(0, name);
        Put(100, "0000644\0" + "0000000\0" + "0000000\0" + Convert.ToString(size, 8).PadLeft(11, '0') + "\0" + "00000000000\0" + "        " + kind);
        Put(257, "ustar\00000"[..6] + "00");
        Put(148, Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        return block;
    }

    [Fact]
    public void Reads_back_what_the_writer_writes() => Gen.Select(Gen.Byte.Array[1, 30].Array[1, 12], Gen.UInt[0, uint.MaxValue - 2], Gen.Long[-5_000_000_000, 50_000_000_000], Gen.UInt[0, 999_999_999], Gen.Byte.Array[0, 2000]).Sample((parts, id, seconds, nanoseconds, content) =>
    {
        var name = Encoding.ASCII.GetBytes(string.Join('/', parts.Select(p => Convert.ToHexString(p))));
        var entry = new TarEntry
        {
            Type = TarEntryType.File,
            Name = name,
            Mode = 0xfff & id,
            Uid = id,
            Gid = id / 2,
            Size = content.Length,
            StoredSize = content.Length,
            ModifiedSeconds = seconds,
            ModifiedNanoseconds = nanoseconds,
            Xattrs = [new("user.a"u8.ToArray(), content.Take(100).ToArray())],
        };
        using var reader = new TarReader(new MemoryStream(TestTar.Make((entry, content))), TarLimits.Default with { RequireEndMarker = true });
        var read = reader.Next()!;
        read.Should().BeEquivalentTo(entry);
        reader.ReadWhole(10_000, "file").Should().Equal(content);
        reader.Next().Should().BeNull();
    });

    [Fact]
    public void Refuses_an_archive_that_is_cut_off_anywhere()
    {
        var archive = TestTar.Make(TestTar.Folder("a/"), TestTar.File("a/" + new string('n', 150), size: 700), TestTar.Link("a/l", "n"));
        for (var length = 1; length < archive.Length - 1023; length += 97)
        {
            var cut = archive[..length];
            ((Action)(() => Drain(cut))).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Corrupt, "cut at {0}", length);
        }

        Drain(archive[..^512]);
    }

    [Fact]
    public void Survives_any_flipped_bits_of_real_archives() => Gen.Select(Gen.Int[0, 4], Gen.Int[0, 200_000], Gen.Byte[1, 255], Gen.Int[0, 200_000], Gen.Byte[1, 255]).Sample(
        (which, at, flip, at2, flip2) =>
        {
            var bytes = (byte[])Samples.Value[which].Clone();
            bytes[at % bytes.Length] ^= flip;
            bytes[at2 % bytes.Length] ^= flip2;
            TarReaderTarget.Run(bytes);
        }, iter: 3000);

    [Fact]
    public void Survives_any_bytes() => Gen.Byte.Array[0, 3000].Sample(bytes => TarReaderTarget.Run(bytes), iter: 2000);

    [Fact]
    public void Survives_any_header_with_a_right_checksum() => Gen.Select(Gen.Byte.Array[512, 512], Gen.Int[0, 10].Select(i => "0SxgLKV1235"u8[i]), Gen.Bool).Sample((block, flag, gnu) =>
    {
        var archive = new byte[4096];
        block.CopyTo(archive, 0);
        archive[156] = flag;
        (gnu ? "ustar  \0"u8 : "ustar\0"u8).CopyTo(archive.AsSpan(257));
        archive.AsSpan(148, 8).Fill((byte)' ');
        var sum = archive.AsSpan(0, 512).ToArray().Sum(b => b);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(archive, 148);
        TarReaderTarget.Run(archive);
    }, iter: 5000);

    [Theory]
    [InlineData("80000000000000000000000000000000000000000000000000000000", false)]
    [InlineData("ff00000000000000000000ff", false)]
    [InlineData("373737373737373737373737373737373737373737373737", false)]
    [InlineData("80000000000000000000000a", true)]
    [InlineData("ffffffffffffffffffffffff", true)]
    public void Reads_numbers_that_fit_and_refuses_others(string hex, bool fits) =>
        TarHeader.TryNumber(Convert.FromHexString(hex), out _).Should().Be(fits || hex.StartsWith("8000000000000000000000000000", StringComparison.Ordinal));

    [Fact]
    public void Refuses_more_entries_than_the_limit()
    {
        var archive = TestTar.Make(Enumerable.Range(0, 20).Select(i => TestTar.File("f" + i)).ToArray());
        using var reader = new TarReader(new MemoryStream(archive), new TarLimits { MaxEntries = 10 });
        ((Action)(() =>
        {
            while (reader.Next() is not null)
            {
            }
        })).Should().Throw<MusterException>().Which.Kind.Should().Be(ErrorKind.Exhausted);
    }

    public void Dispose() => _root.Dispose();

    private static readonly Lazy<byte[][]> Samples = new(() =>
    {
        using var root = new ImageRoot();
        root.Shell(MakeTree + $" && echo long > {new string('f', 200)} && ln -s {new string('t', 180)} l && truncate -s 20K sparse");
        return [.. new[] { "--format=gnu --sparse", "--format=pax --sparse", "--format=pax --sparse --sparse-version=0.0", "--format=pax --sparse --sparse-version=0.1", "--format=ustar --exclude=deep/file --exclude=fff* --exclude=l" }
            .Select(o => { root.Shell($"touch -d @5 src/file; tar -C src {o} -cf s.tar ."); return File.ReadAllBytes(root.Path1("s.tar")); })];
    });

    private static void Drain(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive), TarLimits.Default with { RequireEndMarker = true });
        while (reader.Next() is not null)
        {
        }
    }
}
