using Muster.Core;
using Muster.Images.Oci.Registry;
using Muster.Images.Trust;

namespace Muster.Fuzz;

/// <summary>What signatures of OCI images say, and the manifests that carry them, from any bytes.</summary>
public static class SignedStatementTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        Refusing(() => SignedStatement.OfSimpleSigning(bytes, "atomic container signature"));
        Refusing(() => SignedStatement.OfInToto(bytes));
        Refusing(() => SignedStatement.OfBundle(bytes));
        Refusing(() => SignatureManifests.Cosign(bytes));
        Refusing(() => SignatureManifests.Bundles(bytes));
        Refusing(() => SignatureManifests.Referrers(bytes));
    }

    private static void Refusing(Action action)
    {
        try
        {
            action();
        }
        catch (MusterException)
        {
        }
    }
}
