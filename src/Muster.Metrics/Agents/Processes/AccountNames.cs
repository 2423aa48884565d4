using System.Collections.Frozen;

namespace Muster.Metrics.Agents.Processes;

/// <summary>Names of users and groups as /etc/passwd and /etc/group have them; a number where they have none.</summary>
internal sealed class AccountNames
{
    // The files are read again when they have changed; larger ones are not looked at.
    private const long MaxFile = 16 * 1024 * 1024;

    private readonly Lock _gate = new();
    private Table _users = new("/etc/passwd");
    private Table _groups = new("/etc/group");

    public string User(uint id)
    {
        lock (_gate)
        {
            return (_users = _users.Refreshed()).Name(id);
        }
    }

    public string Group(uint id)
    {
        lock (_gate)
        {
            return (_groups = _groups.Refreshed()).Name(id);
        }
    }

    /// <summary>The names of a text whose lines are <c>name:password:number:…</c>; the first of a number counts (passwd(5), group(5)).</summary>
    internal static IReadOnlyDictionary<uint, string> Parse(string text)
    {
        var names = new Dictionary<uint, string>();
        foreach (var line in text.Split('\n'))
        {
            var fields = line.Split(':', 4);
            if (fields.Length >= 3 && uint.TryParse(fields[2], out var id))
            {
                names.TryAdd(id, fields[0]);
            }
        }

        return names;
    }

    private sealed record Table(string Path)
    {
        private FrozenDictionary<uint, string> Names { get; init; } = FrozenDictionary<uint, string>.Empty;

        private DateTime Changed { get; init; }

        public string Name(uint id) => Names.TryGetValue(id, out var name) ? name : id.ToString();

        public Table Refreshed()
        {
            var file = new FileInfo(Path);
            if (!file.Exists || file.LastWriteTimeUtc == Changed || file.Length > MaxFile)
            {
                return this;
            }

            return this with { Names = Parse(File.ReadAllText(Path)).ToFrozenDictionary(), Changed = file.LastWriteTimeUtc };
        }
    }
}
