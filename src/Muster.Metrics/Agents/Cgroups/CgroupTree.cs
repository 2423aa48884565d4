using Muster.Linux;
using Muster.Metrics.Agents.Tables;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>
/// The control groups of the hierarchies that are measured: listed once, then followed by inotify, so that a request costs
/// what it asks and not what there is.
/// </summary>
internal sealed class CgroupTree : IDisposable
{
    /// <summary>Groups of one hierarchy beyond this are not measured: far more than the pids of a machine.</summary>
    public const int MaxGroups = 100_000;

    /// <summary>From so many groups on a reading of all of them is worth another processor: it takes a tenth of a millisecond for each file.</summary>
    public const int Many = 64;

    /// <summary>cgroup.max.depth has no limit by default; a path has one of 4,096 bytes.</summary>
    private const int MaxDepth = 256;

    private const uint Watched = Inotify.Create | Inotify.Delete | Inotify.OnlyDirectory;

    private readonly Lock _gate = new();
    private readonly IReadOnlyList<MeasuredHierarchy> _hierarchies;
    private readonly Dictionary<int, CgroupNode> _watches = [];
    private readonly List<InotifyEvent> _events = [];
    private readonly Dictionary<string, GroupFile> _files = new(StringComparer.Ordinal);
    private readonly InstanceNames _names = new(MaxGroups * 2);
    private Inotify? _inotify;
    private bool _isListed;
    private bool _isFollowed;

    public CgroupTree(CgroupHierarchies hierarchies, int? places = null)
    {
        All = hierarchies;
        _hierarchies = [.. hierarchies.All.Where(h => h.IsV2 || h.Controllers.Any(c => Measured.Contains(c))).Select(h => new MeasuredHierarchy(h))];
        Budget = new DescriptorBudget(places ?? DescriptorBudget.DefaultPlaces());
    }

    public DescriptorBudget Budget { get; }

    /// <summary>What is mounted.</summary>
    public CgroupHierarchies All { get; }

    /// <summary>The hierarchies whose groups are followed.</summary>
    public IReadOnlyList<MeasuredHierarchy> Hierarchies => _hierarchies;

    private static readonly string[] Measured = ["cpu", "cpuacct", "cpuset", "memory", "blkio", "pids", "net_cls"];

    /// <summary>The hierarchy that has a controller of v1; null when there is none.</summary>
    public MeasuredHierarchy? Version1(string controller) => _hierarchies.FirstOrDefault(h => h.Hierarchy.Controllers.Contains(controller));

    /// <summary>The v2 hierarchy; null when it is not mounted.</summary>
    public MeasuredHierarchy? Version2 => _hierarchies.FirstOrDefault(h => h.Hierarchy.IsV2);

    /// <summary>The file of a name; its place is the same in every group.</summary>
    public GroupFile File(string name)
    {
        lock (_gate)
        {
            return _files.TryGetValue(name, out var file) ? file : _files[name] = new GroupFile(name, _files.Count);
        }
    }

    /// <summary>The groups as they are now.</summary>
    public GroupList Groups(MeasuredHierarchy hierarchy)
    {
        lock (_gate)
        {
            Refresh();
            return Known(hierarchy);
        }
    }

    /// <summary>Learns what has changed, once for a reading that then asks for the groups of many containers.</summary>
    public void Refresh()
    {
        Budget.Advance();
        lock (_gate)
        {
            if (!_isListed || !_isFollowed)
            {
                ListAll();
            }
            else
            {
                Follow();
            }
        }
    }

    /// <summary>The groups as they were at the last <see cref="Refresh"/>.</summary>
    public GroupList Known(MeasuredHierarchy hierarchy)
    {
        lock (_gate)
        {
            return hierarchy.Groups ??= new GroupList([.. hierarchy.Nodes.Values]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            Forget();
            _isListed = false;
        }
    }

    private void Follow()
    {
        _events.Clear();
        _inotify!.ReadAvailable(_events);
        foreach (var change in _events)
        {
            if ((change.Mask & Inotify.Overflow) != 0)
            {
                ListAll();
                return;
            }

            if ((change.Mask & Inotify.IsDirectory) == 0 || !_watches.TryGetValue(change.Watch, out var parent))
            {
                continue;
            }

            var hierarchy = _hierarchies.First(h => ReferenceEquals(h.Root, RootOf(parent)));
            if (parent.Children.Remove(change.Name, out var old))
            {
                Remove(hierarchy, old);
                parent.ChildList = [.. parent.Children.Values];
            }

            if ((change.Mask & Inotify.Create) != 0)
            {
                Add(hierarchy, parent, change.Name, 0);
            }

            hierarchy.Groups = null;
        }
    }

    private void ListAll()
    {
        Forget();
        _inotify = Inotify.TryOpen();
        _isFollowed = _inotify is not null;
        _isListed = true;
        foreach (var hierarchy in _hierarchies)
        {
            Add(hierarchy, null, "", 0);
        }
    }

    private void Forget()
    {
        foreach (var hierarchy in _hierarchies)
        {
            foreach (var node in hierarchy.Nodes.Values)
            {
                node.Leave();
            }

            hierarchy.Nodes.Clear();
            hierarchy.Groups = null;
            hierarchy.Root = null;
        }

        _watches.Clear();
        _inotify?.Dispose();
        _inotify = null;
    }

    private void Add(MeasuredHierarchy hierarchy, CgroupNode? parent, string name, int depth)
    {
        if (depth > MaxDepth || hierarchy.Nodes.Count >= MaxGroups)
        {
            return;
        }

        var path = parent is null ? "" : $"{parent.Path}/{name}";
        var folder = hierarchy.Hierarchy.MountPoint + path;

        // First the watch, then the list: a group made in between comes twice, not never.
        var watch = _isFollowed ? _inotify!.Add(folder, Watched) : -1;
        if (watch < 0 && _isFollowed)
        {
            if (FileCalls.Error is Errno.ENOENT or Errno.ENOTDIR)
            {
                return;
            }

            // No more watches for this user: from now on every request lists.
            _isFollowed = false;
        }

        string[] children;
        try
        {
            children = Directory.GetDirectories(folder);
        }
        catch (IOException)
        {
            return;
        }

        var node = new CgroupNode(parent, path, _names.Find(path.Length == 0 ? "/" : path), folder) { Watch = watch };
        if (watch >= 0)
        {
            _watches[watch] = node;
        }

        if (parent is null)
        {
            hierarchy.Root = node;
        }
        else
        {
            if (parent.Children.Remove(name, out var old))
            {
                Remove(hierarchy, old);
            }

            parent.Children[name] = node;
            parent.ChildList = [.. parent.Children.Values];
        }

        hierarchy.Nodes[node.Instance.Id] = node;
        foreach (var child in children)
        {
            Add(hierarchy, node, Path.GetFileName(child), depth + 1);
        }
    }

    private void Remove(MeasuredHierarchy hierarchy, CgroupNode node)
    {
        foreach (var child in node.Children.Values)
        {
            Remove(hierarchy, child);
        }

        if (node.Watch >= 0 && _watches.TryGetValue(node.Watch, out var watched) && ReferenceEquals(watched, node))
        {
            _watches.Remove(node.Watch);
        }

        if (hierarchy.Nodes.TryGetValue(node.Instance.Id, out var current) && ReferenceEquals(current, node))
        {
            hierarchy.Nodes.Remove(node.Instance.Id);
        }

        node.Leave();
    }

    private static CgroupNode RootOf(CgroupNode node)
    {
        while (node.Parent is { } parent)
        {
            node = parent;
        }

        return node;
    }
}

/// <summary>One hierarchy of the tree. Its members are the tree's to change, under its lock.</summary>
internal sealed class MeasuredHierarchy(CgroupHierarchy hierarchy)
{
    public CgroupHierarchy Hierarchy => hierarchy;

    public Dictionary<int, CgroupNode> Nodes { get; } = [];

    public CgroupNode? Root { get; set; }

    public GroupList? Groups { get; set; }
}

/// <summary>The groups of a hierarchy at one moment, by number too.</summary>
internal sealed class GroupList
{
    private readonly Dictionary<int, CgroupNode> _byId;
    private readonly Dictionary<string, CgroupNode> _byPath;

    public GroupList(IReadOnlyList<CgroupNode> all)
    {
        All = [.. all.OrderBy(n => n.Instance.Id)];
        _byId = All.ToDictionary(n => n.Instance.Id);
        _byPath = All.ToDictionary(n => n.Path, StringComparer.Ordinal);
    }

    public CgroupNode[] All { get; }

    /// <summary>The group of a path below the mount point, with a slash in front.</summary>
    public CgroupNode? Find(string path) => _byPath.GetValueOrDefault(path);

    public CgroupNode? Find(int id) => _byId.GetValueOrDefault(id);
}
