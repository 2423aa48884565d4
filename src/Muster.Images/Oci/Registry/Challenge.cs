namespace Muster.Images.Oci.Registry;

/// <summary>One challenge of WWW-Authenticate (RFC 9110 §11.6.1): its scheme and parameters.</summary>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxParameters = 32;

    public string? Value(string name) => Parameters.GetValueOrDefault(name);

    /// <summary>Reads the parameters <c>name="value", name=token</c>; what does not fit is left out.</summary>
    public static Challenge Read(string scheme, string? parameters)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = parameters.AsSpan();
        while (values.Count < MaxParameters)
        {
            rest = rest.TrimStart(" ,\t");
            var equals = rest.IndexOf('=');
            if (equals <= 0)
            {
                break;
            }

            var name = rest[..equals].Trim().ToString();
            rest = rest[(equals + 1)..].TrimStart(' ');
            values[name] = rest is ['"', ..] ? Quoted(ref rest) : Token(ref rest);
        }

        return new Challenge(scheme, values);
    }

    private static string Quoted(ref ReadOnlySpan<char> rest)
    {
        var value = new System.Text.StringBuilder();
        var i = 1;
        for (; i < rest.Length && rest[i] != '"'; i++)
        {
            if (rest[i] == '\\' && i + 1 < rest.Length)
            {
                i++;
            }

            value.Append(rest[i]);
        }

        rest = i < rest.Length ? rest[(i + 1)..] : [];
        return value.ToString();
    }

    private static string Token(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOfAny(" ,\t");
        var token = (end < 0 ? rest : rest[..end]).ToString();
        rest = end < 0 ? [] : rest[end..];
        return token;
    }
}
