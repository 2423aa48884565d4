using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Muster.Linux;

/// <summary>The pages of a program that only its start needed.</summary>
public static partial class ProgramText
{
    private const int MADV_DONTNEED = 4;

    /// <summary>
    /// Lets go of the mapped code of this process (madvise(2), MADV_DONTNEED on read-only executable file mappings): what is
    /// called again is mapped again from the page cache at the first touch. Never fails.
    /// </summary>
    /// <remarks>Code is never written to, so nothing can be lost; data and read-only data after relocation are left alone.</remarks>
    public static void Release()
    {
        if (RuntimeFeature.IsDynamicCodeCompiled)
        {
            // A runtime that compiles may have written into the code that it maps.
            return;
        }

        foreach (var line in File.ReadAllLines("/proc/self/maps"))
        {
            // 7f…-7f… r-xp OFFSET MAJOR:MINOR INODE PATH (proc_pid_maps(5))
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            if (space < 0 || dash < 0 || !line.AsSpan(space + 1).StartsWith("r-xp") || !line.Contains('/', StringComparison.Ordinal))
            {
                continue;
            }

            if (nuint.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
                && nuint.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end))
            {
                _ = madvise(start, end - start, MADV_DONTNEED);
            }
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nuint start, nuint length, int advice);
}
