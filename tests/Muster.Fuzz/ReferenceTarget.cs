using System.Text;
using Muster.Images;

namespace Muster.Fuzz;

/// <summary>Any text as an image reference: what is taken has a normal form that reads back as itself.</summary>
public static class ReferenceTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        if (!ImageReference.TryParse(Encoding.UTF8.GetString(data), out var reference))
        {
            return;
        }

        var normal = reference.ToString();
        if (!ImageReference.TryParse(normal, out var again) || again.Kind != reference.Kind || again.ToString() != normal)
        {
            throw new InvalidOperationException($"The normal form {normal} does not read back");
        }

        if (StorePaths.Escape(normal).AsSpan().IndexOfAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.%") >= 0)
        {
            throw new InvalidOperationException("The file name of a reference has a character that it must not have");
        }
    }
}
