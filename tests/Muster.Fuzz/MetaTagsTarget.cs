using Muster.Images.Discovery;

namespace Muster.Fuzz;

/// <summary>Discovery pages from any bytes.</summary>
public static class MetaTagsTarget
{
    public static void Run(ReadOnlySpan<byte> data) => MetaTags.Read(data);
}
