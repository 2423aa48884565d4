using System.Text;
using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Archives;
using Muster.Images.Oci;

namespace Muster.Images;

/// <summary>Something of an image that is not as it was imported.</summary>
/// <param name="Part">The blob's digest or the tree's id.</param>
/// <param name="Problem">What is wrong: for a tree, <c>path what</c>.</param>
public sealed record VerifyFinding(string Part, string Problem);

/// <summary>
/// Checks that what the store keeps of an image is what was imported: hashes every blob, unpacks it anew into staging and
/// compares the tree with the kept one, file by file.
/// </summary>
public sealed class ImageVerifier
{
    private readonly ImageStore _store;

    /// <summary>Verifies images of <paramref name="store"/>.</summary>
    public ImageVerifier(ImageStore store) => _store = store;

    /// <summary>Everything that differs; empty when the image is sound.</summary>
    public async Task<IReadOnlyList<VerifyFinding>> VerifyAsync(ImageRecord image, Action<long>? progress, CancellationToken ct)
    {
        var findings = new List<VerifyFinding>();
        using var pending = await _store.BeginAsync(ct);
        foreach (var kept in _store.ReferencesTo(image.Id).SelectMany(KeptSignatures.Blobs).Distinct(StringComparer.Ordinal))
        {
            VerifyDocument(kept, findings);
        }

        if (image.Kind == ImageKind.Oci)
        {
            await Task.Run(() => VerifyOci(image, pending, findings, progress, ct), ct);
        }
        else
        {
            await VerifyAciAsync(image, pending, findings, progress, ct);
        }

        return findings;
    }

    private void VerifyOci(ImageRecord image, PendingImage pending, List<VerifyFinding> findings, Action<long>? progress, CancellationToken ct)
    {
        foreach (var document in image.Blobs.Take(2))
        {
            VerifyDocument(document, findings);
        }

        var config = OciDocuments.ReadConfig(Encoding.UTF8.GetBytes(image.Configuration!.Value.GetRawText()));
        var layers = image.Blobs.Skip(2).Zip(config.Rootfs!.DiffIds!).DistinctBy(l => l.Second);
        foreach (var (blob, diffId) in layers)
        {
            var id = Digest.Parse(diffId).FileName;
            var tree = pending.NewTree();
            if (Pass(blob, "sha256", content => LayerArchive.Unpack(content, tree + "/rootfs", TarLimits.Default), findings, progress, ct) is not { } result)
            {
                continue;
            }

            Check(result.Content.ToString() == diffId, blob, $"unpacks to {result.Content} instead of {diffId}", findings);
            Compare(id, tree, findings, ct);
        }
    }

    private async Task VerifyAciAsync(ImageRecord image, PendingImage pending, List<VerifyFinding> findings, Action<long>? progress, CancellationToken ct)
    {
        var tree = pending.NewTree();
        AciArchive? archive = null;
        var result = await Task.Run(() => Pass(image.Blobs[0], "sha512", content => archive = AciArchive.Read(content, tree + "/rootfs", TarLimits.Default), findings, progress, ct), ct);
        if (result is null)
        {
            return;
        }

        Check(result.Content.FileName == image.Id, image.Blobs[0], $"unpacks to {result.Content.FileName}", findings);
        Compare(image.Id, tree, findings, ct);
        var rendered = image.Trees[0];
        if (rendered == image.Id)
        {
            return;
        }

        var items = await new AciImporter(_store).FlattenAsync(AciManifestReader.Read(archive!.Manifest), image.Id, tree + "/rootfs", archive.ImplicitFolders, Resolve, [], ct);
        var folder = pending.NewTree();
        AciRenderer.Render(items, folder + "/rootfs", ct);
        Compare(rendered, folder, findings, ct);

        Task<ImageRecord> Resolve(AciDependency dependency, IReadOnlyList<AciManifest> chain, CancellationToken token) =>
            Task.FromResult(image.Dependencies.Select(_store.Get).FirstOrDefault(r => r is not null && dependency.Fits(r.Name, r.Labels))
                ?? throw new MusterException(ErrorKind.NotFound, $"{image.Name} depends on {dependency.Reference}, which is no longer in the store: its rendered tree cannot be checked; fetch the image again"));
    }

    private void VerifyDocument(string digest, List<VerifyFinding> findings)
    {
        using var file = LayoutFiles.TryOpen(_store.BlobPath(digest));
        if (file is null)
        {
            findings.Add(new VerifyFinding(digest, "is missing"));
            return;
        }

        var content = new byte[Math.Min(file.Length, OciDocuments.MaxBytes + 1)];
        file.ReadExactly(content);
        Check(Digest.Sha256(content).ToString() == digest, digest, "has other content", findings);
    }

    private PassResult? Pass(string blob, string algorithm, Action<Stream> unpack, List<VerifyFinding> findings, Action<long>? progress, CancellationToken ct)
    {
        using var file = LayoutFiles.TryOpen(_store.BlobPath(blob));
        if (file is null)
        {
            findings.Add(new VerifyFinding(blob, "is missing"));
            return null;
        }

        try
        {
            var result = ArchivePass.Run(file, -1, OciDocuments.MaxBlobBytes, algorithm, piece => progress?.Invoke(piece.Length), unpack, TarLimits.Default, ct);
            Check(result.Stored.ToString() == blob, blob, "has other content", findings);
            return result;
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Corrupt or ErrorKind.Invalid)
        {
            findings.Add(new VerifyFinding(blob, "has other content"));
            return null;
        }
    }

    private void Compare(string id, string expected, List<VerifyFinding> findings, CancellationToken ct)
    {
        var kept = _store.TreePath(id);
        if (!Directory.Exists(kept))
        {
            findings.Add(new VerifyFinding(id, "is missing"));
            return;
        }

        findings.AddRange(TreeComparer.Compare(kept, expected + "/rootfs", ct).Select(difference => new VerifyFinding(id, difference)));
    }

    private static void Check(bool sound, string part, string problem, List<VerifyFinding> findings)
    {
        if (!sound)
        {
            findings.Add(new VerifyFinding(part, problem));
        }
    }
}
