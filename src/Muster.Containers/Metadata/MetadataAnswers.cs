using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Muster.Containers.Metadata;

/// <summary>
/// What the service answers to pods (appc spec/ace.md, "App Container Metadata Service"), without any input or output:
/// registrations, the asking address and a request in, an answer out.
/// </summary>
internal static class MetadataAnswers
{
    private const string Base = "/acMetadata/v1/";

    /// <summary>Answers one request. A token is good only from an address of the pod that it was made for.</summary>
    public static HttpAnswer To(HttpRequest request, IPAddress from, IReadOnlyDictionary<string, Registration> byToken, Func<Guid, Registration?> byPod)
    {
        // A browser or a proxy tricked into asking cannot set this header (spec: "Metadata-Flavor").
        if (!request.Headers.TryGetValue("Metadata-Flavor", out var flavor) || flavor != "AppContainer")
        {
            return HttpAnswer.Of(403, "the header Metadata-Flavor: AppContainer is missing\n");
        }

        var target = request.Target;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        var slash = path.IndexOf('/', 1);
        if (slash < 0 || !byToken.TryGetValue(path[1..slash], out var registration) || !IsOf(registration, from))
        {
            return HttpAnswer.Of(401, "no such token for this address\n");
        }

        if (!path.AsSpan(slash).StartsWith(Base, StringComparison.Ordinal))
        {
            return HttpAnswer.Of(404, "no such path\n");
        }

        var words = path[(slash + Base.Length)..].Split('/');
        return request.Method switch
        {
            "GET" => Get(words, registration),
            "POST" => Post(words, request, registration, byPod),
            _ => HttpAnswer.Of(405, "only GET and POST\n"),
        };
    }

    /// <summary>HMAC-SHA512 with the pod's key over its UUID's 16 bytes and the content (rkt's form of the spec's <c>pod/hmac/sign</c>).</summary>
    public static byte[] Sign(Registration registration, ReadOnlySpan<byte> content)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, registration.Key);
        mac.AppendData(registration.Pod.Pod.ToByteArray(bigEndian: true));
        mac.AppendData(content);
        return mac.GetHashAndReset();
    }

    private static bool IsOf(Registration registration, IPAddress from)
    {
        var address = from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from;
        return registration.Pod.Addresses.Any(a => IPAddress.Parse(a).Equals(address));
    }

    private static HttpAnswer Get(string[] words, Registration registration)
    {
        var pod = registration.Pod;
        switch (words)
        {
            case ["pod", "uuid"]:
                return HttpAnswer.Of(200, pod.Pod.ToString());
            case ["pod", "manifest"]:
                return Json(pod.Manifest);
            case ["pod", "annotations"]:
                return pod.Manifest.TryGetProperty("annotations", out var annotations) ? Json(annotations) : new HttpAnswer(200, HttpAnswer.Json, "null"u8.ToArray());
            case ["pod", "annotations", var name]:
                return Annotations(pod.Manifest).Where(a => a.Name == name).Select(a => Value(a.Value)).FirstOrDefault() ?? HttpAnswer.Of(404, "no such annotation\n");
        }

        if (words is not ["apps", var appName, ..] || pod.Apps.FirstOrDefault(a => a.Name == appName) is not { } app)
        {
            return HttpAnswer.Of(404, words[0] == "apps" ? "no such app\n" : "no such path\n");
        }

        return words[2..] switch
        {
            ["image", "id"] => HttpAnswer.Of(200, app.ImageId),
            ["image", "manifest"] => Json(app.ImageManifest),
            ["annotations"] => AppAnnotations(pod, app),
            ["annotations", var name] => MergedAnnotations(pod, app).Where(a => a.Name == name).Select(a => Value(a.Value)).FirstOrDefault() ?? HttpAnswer.Of(404, "no such annotation\n"),
            _ => HttpAnswer.Of(404, "no such path\n"),
        };
    }

    private static HttpAnswer Post(string[] words, HttpRequest request, Registration registration, Func<Guid, Registration?> byPod)
    {
        if (words is not ["pod", "hmac", ("sign" or "verify") and var verb])
        {
            return HttpAnswer.Of(404, "no such path\n");
        }

        if (HttpRequest.ParseForm(request.Body) is not { } form || !form.TryGetValue("content", out var content))
        {
            return HttpAnswer.Of(400, "a form with the field content is expected\n");
        }

        if (verb == "sign")
        {
            return HttpAnswer.Of(200, Convert.ToBase64String(Sign(registration, content)));
        }

        if (!form.TryGetValue("uuid", out var uuid) || !form.TryGetValue("signature", out var signature)
            || !Guid.TryParse(Encoding.ASCII.GetString(uuid), out var signer))
        {
            return HttpAnswer.Of(400, "the fields uuid and signature are expected\n");
        }

        var claimed = new byte[HMACSHA512.HashSizeInBytes];
        var good = Convert.TryFromBase64String(Encoding.ASCII.GetString(signature), claimed, out var length) && length == claimed.Length
            && byPod(signer) is { } other
            && CryptographicOperations.FixedTimeEquals(claimed, Sign(other, content));
        return good ? HttpAnswer.Of(200, "OK\n") : HttpAnswer.Of(403, "the signature is not the pod's\n");
    }

    private static HttpAnswer Json(JsonElement element) => new(200, HttpAnswer.Json, Encoding.UTF8.GetBytes(element.GetRawText()));

    private static HttpAnswer Value(string value) => new(200, HttpAnswer.Text, Encoding.UTF8.GetBytes(value));

    // The image's annotations, each replaced by the pod's of the same name (spec: "apps/…/annotations").
    private static List<(string Name, string Value)> MergedAnnotations(MetadataPod pod, MetadataApp app)
    {
        var merged = Annotations(app.ImageManifest).ToList();
        if (pod.Manifest.TryGetProperty("apps", out var apps) && apps.ValueKind == JsonValueKind.Array)
        {
            foreach (var entry in apps.EnumerateArray().Where(a => Text(a, "name") == app.Name))
            {
                foreach (var annotation in Annotations(entry))
                {
                    var at = merged.FindIndex(m => m.Name == annotation.Name);
                    if (at < 0)
                    {
                        merged.Add(annotation);
                    }
                    else
                    {
                        merged[at] = annotation;
                    }
                }
            }
        }

        return merged;
    }

    private static HttpAnswer AppAnnotations(MetadataPod pod, MetadataApp app)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var (name, value) in MergedAnnotations(pod, app))
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                writer.WriteString("value", value);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return new HttpAnswer(200, HttpAnswer.Json, buffer.ToArray());
    }

    private static IEnumerable<(string Name, string Value)> Annotations(JsonElement manifest)
    {
        if (manifest.ValueKind != JsonValueKind.Object || !manifest.TryGetProperty("annotations", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            yield break;
        }

        foreach (var entry in list.EnumerateArray())
        {
            if (Text(entry, "name") is { } name && Text(entry, "value") is { } value)
            {
                yield return (name, value);
            }
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
