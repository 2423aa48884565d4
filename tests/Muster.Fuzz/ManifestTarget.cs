using System.Text;
using Muster.Core;
using Muster.Images.Aci;
using Muster.Images.Build;
using Muster.Images.Oci;

namespace Muster.Fuzz;

/// <summary>Any bytes as every kind of manifest: taken or refused with a sentence, never another exception.</summary>
public static class ManifestTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        var document = new OciDocument(Digest.Sha256(bytes), "", bytes);
        Try(() => AciManifestReader.Read(bytes));
        Try(() => OciDocuments.ReadManifest(document));
        Try(() => OciDocuments.ReadIndex(document));
        Try(() => OciDocuments.IsIndex(document));
        Try(() => OciAppTemplate.From(OciDocuments.ReadConfig(bytes).Config));
        Try(() => BuildRecipeReader.Read(Encoding.UTF8.GetString(bytes)));
    }

    private static void Try<T>(Func<T> read)
    {
        try
        {
            _ = read();
        }
        catch (MusterException e) when (e.Kind is ErrorKind.Corrupt or ErrorKind.Invalid or ErrorKind.Exhausted or ErrorKind.Unsupported)
        {
            // Refused, as it should be.
        }
    }
}
