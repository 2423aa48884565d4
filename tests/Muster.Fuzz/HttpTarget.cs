using Muster.Containers.Metadata;

namespace Muster.Fuzz;

/// <summary>Requests and forms of the metadata service: no bytes may be a fault.</summary>
public static class HttpTarget
{
    public static void Run(ReadOnlySpan<byte> data)
    {
        var (request, taken, refusal) = HttpRequest.Parse(data);
        if (request is not null && (taken <= 0 || taken > data.Length || refusal != 0 || request.Body.Length > taken))
        {
            throw new InvalidOperationException($"A request of {taken} of {data.Length} bytes");
        }

        HttpRequest.ParseForm(data);
    }
}
