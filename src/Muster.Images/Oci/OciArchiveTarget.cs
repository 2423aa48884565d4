using System.Text;
using Muster.Core;
using Muster.Images.Archives;

namespace Muster.Images.Oci;

/// <summary>Writes one image as a tar archive of an OCI layout: beside the file's name, renamed when whole.</summary>
public sealed class OciArchiveTarget : IOciTarget
{
    private readonly string _path;
    private readonly string _beside;
    private readonly string? _tag;
    private readonly bool _overwrite;
    private readonly FileStream _file;
    private readonly TarWriter _tar;
    private readonly HashSet<Digest> _written = [];
    private readonly List<LayoutSignatureEntry> _signatures = [];
    private bool _whole;

    /// <summary>The archive at <paramref name="path"/>, which must not exist unless <paramref name="overwrite"/>.</summary>
    public OciArchiveTarget(string path, string? tag, string location, bool overwrite)
    {
        Location = location;
        _path = path;
        _tag = tag;
        _overwrite = overwrite;
        OutputFile.Check(path, overwrite);
        _beside = OutputFile.Beside(path);
        _file = new FileStream(_beside, FileMode.Create, FileAccess.Write);
        _tar = new TarWriter(_file);
        Put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"u8);
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public Task<bool> HasBlobAsync(OciDescriptor descriptor, CancellationToken ct) => Task.FromResult(_written.Contains(descriptor.Digest));

    /// <inheritdoc/>
    public async Task PutBlobAsync(OciDescriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken ct)
    {
        await using var from = await open(ct);
        _tar.Write(Entry("blobs/sha256/" + descriptor.Digest.Hex, descriptor.Size));
        await using var to = new TarData(_tar);
        await OciLayoutTarget.CopyAsync(from, to, descriptor, Location, ct);
        _written.Add(descriptor.Digest);
    }

    /// <inheritdoc/>
    public async Task PutSignaturesAsync(OciDescriptor image, IReadOnlyList<OciSignature> signatures, Action<string> tell, CancellationToken ct)
    {
        foreach (var entry in LayoutSignatureEntry.Of(image, signatures, tell))
        {
            foreach (var (descriptor, content) in entry.Carrier.Blobs.Where(b => !_written.Contains(b.Descriptor.Digest)).ToList())
            {
                await PutBlobAsync(descriptor, _ => Task.FromResult<Stream>(new MemoryStream(content.ToArray(), writable: false)), ct);
            }

            if (_written.Add(entry.Carrier.Manifest.Digest))
            {
                Put("blobs/sha256/" + entry.Carrier.Manifest.Digest.Hex, entry.Carrier.Manifest.Bytes.Span);
            }

            _signatures.Add(entry);
        }
    }

    /// <inheritdoc/>
    public Task PutManifestAsync(OciDocument manifest, CancellationToken ct)
    {
        Put("blobs/sha256/" + manifest.Digest.Hex, manifest.Bytes.Span);
        Put("index.json", OciWriter.Index([(new OciDescriptor(manifest.MediaType, manifest.Digest, manifest.Bytes.Length), _tag)], [.. _signatures.Select(s => s.Json)]));
        _tar.Finish();
        _file.Flush(flushToDisk: true);
        _whole = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        if (_whole)
        {
            OutputFile.Place(_beside, _path, _overwrite);
        }
        else
        {
            File.Delete(_beside);
        }
    }

    private void Put(string name, ReadOnlySpan<byte> content)
    {
        _tar.Write(Entry(name, content.Length));
        _tar.WriteData(content);
    }

    private static TarEntry Entry(string name, long size) => new() { Type = TarEntryType.File, Name = Encoding.ASCII.GetBytes(name), Mode = 0x1a4, Size = size };

    // The content of the entry that was begun.
    private sealed class TarData(TarWriter tar) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => tar.WriteData(buffer);

        public override void Write(byte[] buffer, int offset, int count) => tar.WriteData(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>A file that a verb makes: written beside and renamed, so that a failure leaves the old one or nothing.</summary>
internal static class OutputFile
{
    public static string Beside(string path) => $"{path}.new-{Environment.ProcessId}";

    /// <summary>Refuses a name that is taken.</summary>
    public static void Check(string path, bool overwrite)
    {
        if (!overwrite && (File.Exists(path) || Directory.Exists(path)))
        {
            throw new MusterException(ErrorKind.Conflict, $"{path} exists: choose another name, or add --overwrite");
        }
    }

    public static void Place(string beside, string path, bool overwrite)
    {
        try
        {
            File.Move(beside, path, overwrite);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }
}
