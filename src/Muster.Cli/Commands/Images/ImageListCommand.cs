using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images;

namespace Muster.Cli.Commands.Images;

internal static class ImageListCommand
{
    private static readonly IReadOnlyList<Column<ImageRow>> AllColumns =
    [
        new("id", r => ImageRows.ShortId(r.Id)),
        new("reference", r => r.Reference),
        new("name", r => r.Name),
        new("kind", r => r.Kind),
        new("platform", r => r.Platform),
        new("trust", r => r.Trust),
        new("signer", r => r.Signer ?? "-"),
        new("size", r => Quantity.FormatBytes(r.Size)),
        new("imported", r => ImageRows.Time(r.ImportedAt)),
        new("used", r => ImageRows.Time(r.LastUsed)),
    ];

    private static readonly string[] DefaultFields = ["id", "reference", "kind", "trust", "size", "imported"];

    public static readonly Command Command = new()
    {
        Words = ["image", "list"],
        Lists = true,
        Aliases = [["images"]],
        Summary = "List the images of the store",
        Usage = "[OPTION…]",
        Description = "One row for each reference. TRUST is signed, built (made here by image build) or insecure (let in unverified).",
        Example = """
            muster image list
            muster image list --filter trust=insecure --sort=size
            """,
        Options =
        [
            new("fields", "Columns to show, comma-separated: id, reference, name, kind, platform, trust, signer, size, imported, used", "LIST") { Default = "id,reference,kind,trust,size,imported" },
            new("sort", "The column to sort by", "COLUMN") { Choices = ["reference", "name", "size", "imported", "used"], Default = "reference" },
            new("order", "The direction of sorting", "ORDER") { Choices = ["asc", "desc"], Default = "asc" },
            new("full", "Whole ids"),
            new("no-legend", "No line with the columns' names"),
        ],
        Arguments = (0, 0),
        Run = (call, _) =>
        {
            var store = new ImageStore(call.Root, call.Time);
            var rows = Sort(store.List().Select(i => ImageRows.From(i, store)), call.Value("sort") ?? "reference");
            if (call.Value("order") == "desc")
            {
                rows = rows.Reverse();
            }

            if (call.Quiet && !call.Json)
            {
                foreach (var row in rows.Where(Listing.Filter(call, AllColumns)).DistinctBy(r => r.Id))
                {
                    call.Terminal.Out.WriteLine(row.Id);
                }

                return Task.FromResult(0);
            }

            Listing.Write(call, rows, Columns(call), ImageRowJson.Default.ImageRow, legend: !call.Has("no-legend"), AllColumns);
            return Task.FromResult(0);
        },
    };

    private static IReadOnlyList<Column<ImageRow>> Columns(Invocation call)
    {
        var fields = call.Value("fields")?.Split(',') ?? DefaultFields;
        return [.. fields.Select(name => AllColumns.FirstOrDefault(c => c.Name == name) is not { } column
            ? throw new MusterException(ErrorKind.Usage, $"--fields={name} is not a column: choose from {string.Join(", ", AllColumns.Select(c => c.Name))}")
            : name == "id" && call.Has("full") ? new Column<ImageRow>("id", r => r.Id) : column)];
    }

    private static IEnumerable<ImageRow> Sort(IEnumerable<ImageRow> rows, string column) => column switch
    {
        "size" => rows.OrderBy(r => r.Size),
        "imported" => rows.OrderBy(r => r.ImportedAt),
        "used" => rows.OrderBy(r => r.LastUsed),
        "name" => rows.OrderBy(r => r.Name, StringComparer.Ordinal),
        _ => rows.OrderBy(r => r.Reference, StringComparer.Ordinal),
    };
}
