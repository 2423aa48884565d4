using System.Text;
using Muster.Core;
using Muster.Images.Archives;
using Muster.Linux;

namespace Muster.Images.Oci;

/// <summary>Writes one image as a tar archive of an OCI layout: beside the file's name, renamed when whole.</summary>
public sealed class OciArchiveTarget : IOciTarget
{
    private readonly string? _tag;
    private readonly OutputFile _file;
    private readonly TarWriter _tar;
    private readonly HashSet<Digest> _written = [];
    private readonly List<LayoutSignatureEntry> _signatures = [];
    private bool _whole;

    /// <summary>The archive at <paramref name="path"/>, which must not exist unless <paramref name="overwrite"/>.</summary>
    public OciArchiveTarget(string path, string? tag, string location, bool overwrite)
    {
        Location = location;
        _tag = tag;
        _file = OutputFile.Begin(path, overwrite);
        _tar = new TarWriter(_file.Stream);
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
        _whole = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        using var file = _file;
        if (_whole)
        {
            file.Commit();
        }

        return ValueTask.CompletedTask;
    }

    private void Put(string name, ReadOnlySpan<byte> content)
    {
        _tar.Write(Entry(name, content.Length));
        _tar.WriteData(content);
    }

    private static TarEntry Entry(string name, long size) => new() { Type = TarEntryType.File, Name = Encoding.ASCII.GetBytes(name), Mode = 0x1a4, Size = size };

    // The content of the entry that was begun.
    private sealed class TarData(TarWriter tar) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => tar.WriteData(buffer);

        public override void Write(byte[] buffer, int offset, int count) => tar.WriteData(buffer.AsSpan(offset, count));
    }
}
