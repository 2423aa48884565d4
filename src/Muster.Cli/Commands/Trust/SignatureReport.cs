using System.Globalization;
using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;
using Muster.Images.Trust;

namespace Muster.Cli.Commands.Trust;

/// <summary>What <c>image verify --signature</c> says of one reference.</summary>
internal sealed record SignatureRow
{
    public required string Image { get; init; }

    public required string Reference { get; init; }

    /// <summary><c>signed</c>, <c>built</c> or <c>insecure</c>.</summary>
    public required string Verdict { get; init; }

    public string? Scheme { get; init; }

    public string? Signer { get; init; }

    public string? Key { get; init; }

    /// <summary>The key or subkey that signed, where it is not the key itself.</summary>
    public string? SigningKey { get; init; }

    public string? SignedDigest { get; init; }

    /// <summary>The name by which keys are looked up.</summary>
    public string? Identity { get; init; }

    public DateTimeOffset? SignedAt { get; init; }

    public DateTimeOffset JudgedAt { get; init; }

    public string? Reason { get; init; }

    /// <summary>Why the image would be refused today; null when it would run.</summary>
    public string? Refusal { get; init; }

    /// <summary>The kept signatures, verified now; empty when none was kept.</summary>
    public IReadOnlyList<KeptSignatureRow> Kept { get; init; } = [];
}

/// <summary>What one kept signature is worth today.</summary>
internal sealed record KeptSignatureRow(string Scheme, bool Accepted, string Reason, string? Signer, string? Key, DateTimeOffset? SignedAt, string Location);

/// <summary>Source-generated JSON of the report.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SignatureRow))]
internal sealed partial class SignatureReportJson : JsonSerializerContext;

/// <summary>Who signed what is in the store, and whether that still counts.</summary>
internal static class SignatureReport
{
    /// <summary>The status when something would be refused today, so that scripts tell it from a failure to look (254).</summary>
    private const int Refused = 1;

    private static readonly IReadOnlyList<Column<SignatureRow>> Columns =
    [
        new("image", r => r.Image),
        new("reference", r => r.Reference),
        new("verdict", r => r.Verdict),
        new("signer", r => r.Signer ?? "-"),
        new("key", r => r.Key ?? "-"),
        new("today", r => r.Refusal is null ? "accepted" : "refused"),
    ];

    /// <summary>Writes the report; 0 when every image would run today, 1 otherwise.</summary>
    public static int Write(Invocation call, ImageStore store, IReadOnlyList<StoredImage> images, CancellationToken ct)
    {
        var judge = new TrustJudge(call.Root, call.Time);
        var signatures = new StoredSignatures(store);
        var rows = images.Select(image => Row(image, judge, signatures, ct)).Where(row => RowFilter.Fits(call, Columns, row)).ToList();
        if (call.Json)
        {
            Listing.Write(call, rows, Columns, SignatureReportJson.Default.SignatureRow);
        }
        else if (call.Quiet)
        {
            foreach (var row in rows.Where(row => row.Refusal is not null))
            {
                call.Terminal.Out.WriteLine(row.Reference);
            }
        }
        else
        {
            rows.ForEach(row => Describe(call, row));
        }

        return rows.TrueForAll(row => row.Refusal is null) ? 0 : Refused;
    }

    private static SignatureRow Row(StoredImage image, TrustJudge judge, StoredSignatures signatures, CancellationToken ct)
    {
        var trust = image.Reference.Trust;
        var refusal = judge.RefusalToday(image);
        IReadOnlyList<SignatureOpinion> kept = [];
        try
        {
            kept = signatures.Examine(image, ct);
            if (kept.Count > 0 && !kept.Any(k => k.Accepted))
            {
                refusal ??= $"none of the kept signatures is accepted: {string.Join("; ", kept.Select(k => k.Reason))}";
            }
        }
        catch (MusterException e)
        {
            refusal ??= e.Message;
        }

        return new SignatureRow
        {
            Image = image.Record.Id,
            Reference = image.Reference.Reference,
            Verdict = trust.Verdict switch { TrustVerdict.Signed => "signed", TrustVerdict.Built => "built", _ => "insecure" },
            Scheme = trust.Scheme,
            Signer = trust.Signer,
            Key = trust.Key,
            SigningKey = trust.SigningKey == trust.Key ? null : trust.SigningKey,
            SignedDigest = trust.SignedDigest,
            Identity = trust.Identity,
            SignedAt = trust.SignedAt,
            JudgedAt = trust.JudgedAt,
            Reason = trust.Reason,
            Refusal = refusal,
            Kept = [.. kept.Select(k => new KeptSignatureRow(k.Scheme, k.Accepted, k.Reason, k.Signer, k.Key, k.SignedAt, k.Location))],
        };
    }

    private static void Describe(Invocation call, SignatureRow row)
    {
        var output = call.Terminal.Out;
        output.WriteLine(call.Terminal.Style($"{row.Reference} ({row.Image[..Math.Min(19, row.Image.Length)]})", "1"));
        Line("verdict", row.Scheme is null ? row.Verdict : $"{row.Verdict} ({row.Scheme})");
        Line("signer", row.Signer);
        Line("key", row.Key);
        Line("subkey", row.SigningKey);
        Line("signed", Time(row.SignedAt));
        Line("digest", row.SignedDigest);
        Line("name", row.Identity);
        Line("judged", $"{Time(row.JudgedAt)}: {row.Reason}");
        foreach (var kept in row.Kept)
        {
            Line("kept", $"{kept.Scheme}, {(kept.Accepted ? "accepted" : "not accepted")}: {kept.Reason}");
        }

        Line("today", row.Refusal is null ? "accepted" : "refused: " + row.Refusal);

        void Line(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                // A signer chooses its own name: a control character must not reach the terminal.
                output.WriteLine($"  {name,-8} {string.Concat(value.Select(c => char.IsControl(c) ? '?' : c))}");
            }
        }
    }

    private static string? Time(DateTimeOffset? time) => time?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
