namespace Muster.Core;

/// <summary>The names of App Container: AC Name for apps, volumes, mounts and ports; AC Identifier for images (appc spec/types.md).</summary>
public static class AcName
{
    /// <summary>The longest name taken: it becomes part of file names and cgroup paths.</summary>
    public const int MaxLength = 128;

    /// <summary>True for <c>^[a-z0-9]+([-][a-z0-9]+)*$</c> of at most <see cref="MaxLength"/> characters.</summary>
    public static bool IsName(string? text) => Matches(text, "-", MaxLength);

    /// <summary>True for <c>^[a-z0-9]+([-._~/][a-z0-9]+)*$</c> of at most 512 characters.</summary>
    public static bool IsIdentifier(string? text) => Matches(text, "-._~/", 512);

    /// <summary>Makes an AC Name of any text: lower case, runs of other characters become one dash; <c>app</c> when nothing is left.</summary>
    public static string Sanitize(string text)
    {
        var name = new System.Text.StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (var c in text)
        {
            if (name.Length >= 64)
            {
                break;
            }

            if (char.IsAsciiLetterOrDigit(c))
            {
                name.Append(char.ToLowerInvariant(c));
            }
            else if (name.Length > 0 && name[^1] != '-')
            {
                name.Append('-');
            }
        }

        var result = name.ToString().Trim('-');
        return result.Length == 0 ? "app" : result;
    }

    private static bool Matches(string? text, string separators, int limit)
    {
        if (string.IsNullOrEmpty(text) || text.Length > limit)
        {
            return false;
        }

        var afterSeparator = true;
        foreach (var c in text)
        {
            if (c is (>= 'a' and <= 'z') or (>= '0' and <= '9'))
            {
                afterSeparator = false;
            }
            else if (!afterSeparator && separators.Contains(c, StringComparison.Ordinal))
            {
                afterSeparator = true;
            }
            else
            {
                return false;
            }
        }

        return !afterSeparator;
    }
}
