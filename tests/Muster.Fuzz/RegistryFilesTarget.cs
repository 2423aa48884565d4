using System.Text;
using Muster.Core;
using Muster.Images.Oci.Registry;

namespace Muster.Fuzz;

/// <summary>registries.conf, references, challenges and signature manifests from any bytes.</summary>
public static class RegistryFilesTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var text = Encoding.UTF8.GetString(data);
        var bytes = data.ToArray();
        Refusing(() => Toml.Parse(text));
        Refusing(() => RegistryReference.Parse(text));
        Refusing(() => Challenge.Read("Bearer", text));
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
