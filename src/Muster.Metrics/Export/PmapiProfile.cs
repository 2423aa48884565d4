using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Export;

/// <summary>An instance profile that is added to and taken from (pmAddProfile(3), pmDelProfile(3)).</summary>
internal sealed class PmapiProfile
{
    /// <summary>Instances named in one context: dashboards name a few.</summary>
    public const int MaxInstances = 10_000;

    private readonly Dictionary<InstanceDomainId, (bool All, HashSet<int> But)> _domains = [];
    private bool _all = true;

    public InstanceProfile Current { get; private set; } = InstanceProfile.All;

    /// <summary>Adds instances of a domain; all of them for none named, all domains for no domain. False when too many are named.</summary>
    public bool Add(InstanceDomainId? domain, IReadOnlyCollection<int> instances) => Change(domain, instances, add: true);

    /// <summary>Takes instances away, in the same way.</summary>
    public bool Remove(InstanceDomainId? domain, IReadOnlyCollection<int> instances) => Change(domain, instances, add: false);

    private bool Change(InstanceDomainId? domain, IReadOnlyCollection<int> instances, bool add)
    {
        if (domain is not { } id)
        {
            _all = add;
            _domains.Clear();
        }
        else if (instances.Count == 0)
        {
            _domains[id] = (add, []);
        }
        else
        {
            var (all, listed) = _domains.TryGetValue(id, out var state) ? state : (_all, []);
            var but = new HashSet<int>(listed);

            // An instance is in the list when it differs from the rest of its domain.
            foreach (var instance in instances)
            {
                _ = add == all ? but.Remove(instance) : but.Add(instance);
            }

            // What is refused has changed nothing.
            if (_domains.Values.Sum(d => d.But.Count) - listed.Count + but.Count > MaxInstances)
            {
                return false;
            }

            _domains[id] = (all, but);
        }

        Current = new InstanceProfile(_all, _domains.ToDictionary(d => d.Key, d => new InstanceSelection(onlyListed: !d.Value.All, d.Value.But)));
        return true;
    }
}
