using Muster.Metrics.Names;

namespace Muster.Metrics.Archive;

/// <summary>
/// Numbers of instances that mean the same in all archives that are read side by side: two loggers number containers on their
/// own, and two hosts everything. Of several hosts, each instance's name is told with its host, and a metric without
/// instances has one for each host.
/// </summary>
internal sealed class InstanceNumbering(bool hasHosts)
{
    private readonly Dictionary<(InstanceDomainId Domain, string Name), int> _numbers = [];
    private readonly Dictionary<InstanceDomainId, List<string>> _names = [];

    public bool HasHosts => hasHosts;

    public string Shown(string host, string? name) => !hasHosts ? name ?? "" : name is null ? host : $"{host}:{name}";

    public int Number(InstanceDomainId domain, string shown)
    {
        if (_numbers.TryGetValue((domain, shown), out var number))
        {
            return number;
        }

        if (!_names.TryGetValue(domain, out var names))
        {
            _names.Add(domain, names = []);
        }

        names.Add(shown);
        _numbers.Add((domain, shown), names.Count - 1);
        return names.Count - 1;
    }

    public string? Name(InstanceDomainId domain, int number) => _names.TryGetValue(domain, out var names) && number >= 0 && number < names.Count ? names[number] : null;
}
