using System.Text.Json;
using Muster.Core;

namespace Muster.Images.Aci;

/// <summary>Everything found wrong with a document, told in one sentence.</summary>
internal sealed class ManifestFaults(string what)
{
    /// <summary>Faults that are told; a document with more is beyond reading.</summary>
    private const int MaxTold = 20;

    private readonly List<string> _faults = [];
    private int _count;

    public void Add(string fault)
    {
        _count++;
        if (_faults.Count < MaxTold)
        {
            _faults.Add(string.Concat(fault.Select(c => char.IsControl(c) ? '?' : c)));
        }
    }

    public void Throw()
    {
        if (_count > 0)
        {
            throw new MusterException(ErrorKind.Invalid, $"{what} is not valid: {string.Join("; ", _faults)}{(_count > MaxTold ? $"; and {_count - MaxTold} more" : "")}");
        }
    }
}

/// <summary>A JSON object being read: a member of the wrong type is noted as a fault and read as absent.</summary>
internal readonly struct AciNode(JsonElement element, string path, ManifestFaults faults)
{
    /// <summary>Items of one list: no image comes near it.</summary>
    private const int MaxItems = 100_000;

    public JsonElement Element => element;

    public void Fault(string member, string fault) => faults.Add($"{Path(member)} {fault}");

    public bool IsObject()
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            return true;
        }

        faults.Add($"{(path.Length == 0 ? "it" : path)} is not an object");
        return false;
    }

    public string? Text(string member, bool required)
    {
        if (Find(member) is not { } value)
        {
            if (required)
            {
                Fault(member, "is missing");
            }

            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Fault(member, "is not a string");
            return null;
        }

        try
        {
            var text = value.GetString()!;
            if (required && text.Length == 0 && member != "value")
            {
                Fault(member, "is empty");
            }

            return text;
        }
        catch (InvalidOperationException)
        {
            Fault(member, "is not valid Unicode");
            return null;
        }
    }

    public long? Number(string member, long least, long most)
    {
        if (Find(member) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most)
        {
            return number;
        }

        Fault(member, $"is not a whole number from {least} to {most}");
        return null;
    }

    public bool Flag(string member)
    {
        if (Find(member) is not { } value)
        {
            return false;
        }

        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Fault(member, "is neither true nor false");
        }

        return value.ValueKind == JsonValueKind.True;
    }

    public AciNode? Object(string member) =>
        Find(member) is { } value && new AciNode(value, Path(member), faults) is var node && node.IsObject() ? node : null;

    public List<AciNode> Objects(string member)
    {
        var result = new List<AciNode>();
        foreach (var item in List(member))
        {
            var node = new AciNode(item, $"{Path(member)}[{result.Count}]", faults);
            if (!node.IsObject())
            {
                break;
            }

            result.Add(node);
        }

        return result;
    }

    public List<string> Texts(string member)
    {
        var result = new List<string>();
        foreach (var item in List(member))
        {
            try
            {
                if (item.ValueKind == JsonValueKind.String)
                {
                    result.Add(item.GetString()!);
                    continue;
                }
            }
            catch (InvalidOperationException)
            {
                // Not Unicode: told below.
            }

            Fault(member, $"has an item that is not a string at {result.Count}");
            break;
        }

        return result;
    }

    /// <summary>An object whose members are all strings.</summary>
    public List<NameValue> Map(string member)
    {
        var result = new List<NameValue>();
        if (Object(member) is not { } map)
        {
            return result;
        }

        try
        {
            foreach (var property in map.Element.EnumerateObject())
            {
                result.Add(new NameValue(property.Name, map.Text(property.Name, required: false) ?? ""));
            }
        }
        catch (InvalidOperationException)
        {
            Fault(member, "has a name that is not valid Unicode");
        }

        return result;
    }

    public List<JsonElement> List(string member)
    {
        if (Find(member) is not { } value)
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxItems)
        {
            Fault(member, $"is not a list of at most {MaxItems} items");
            return [];
        }

        return [.. value.EnumerateArray()];
    }

    // Go writes null for an empty list: absent and null mean the same.
    private JsonElement? Find(string member) =>
        element.TryGetProperty(member, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private string Path(string member) => path.Length == 0 ? member : member.Length == 0 ? path : path + "." + member;
}
