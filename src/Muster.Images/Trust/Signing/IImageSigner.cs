using Muster.Core;
using Muster.Images.Oci;

namespace Muster.Images.Trust.Signing;

/// <summary>Signs images that go into a registry.</summary>
public interface IImageSigner
{
    /// <summary>What kind of signature it makes, in the words of <see cref="OciSignature.Scheme"/>.</summary>
    string Scheme { get; }

    /// <summary>Signs a manifest under the name that it will have.</summary>
    /// <param name="manifest">The manifest's digest.</param>
    /// <param name="name"><c>host[:port]/repository:tag</c>.</param>
    /// <param name="ct">Stops the signing.</param>
    /// <exception cref="MusterException">When the key cannot be used.</exception>
    Task<OciSignature> SignAsync(Digest manifest, string name, CancellationToken ct);
}
