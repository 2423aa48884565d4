using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>The groups of one hierarchy, a row each, with the files whose values are asked for.</summary>
internal sealed class GroupSource : Source
{
    private readonly CgroupTree _tree;
    private readonly MeasuredHierarchy _hierarchy;
    private readonly GroupText[] _texts;
    private readonly int _container;
    private readonly string _deviceType;

    public GroupSource(CgroupTree tree, MeasuredHierarchy hierarchy, InstanceDomainId domain, IReadOnlyList<MetricLine> lines, string deviceType, Func<IReadOnlyList<string>, IEnumerable<GroupText>> texts)
        : base(ContainerScope.Container, new SheetShape(domain, MetricTable.Columns(lines, domain.Serial)))
    {
        _tree = tree;
        _hierarchy = hierarchy;
        _texts = [.. texts(Shapes[0].Columns)];
        _container = Shapes[0].Columns.ToList().IndexOf("container");
        _deviceType = deviceType;
    }

    /// <inheritdoc/>
    public override bool IsLong => _tree.Known(_hierarchy).All.Length >= CgroupTree.Many;

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var sheet = sheets[0];
        var wanted = 0;
        Span<int> texts = stackalloc int[_texts.Length];
        for (var i = 0; i < _texts.Length; i++)
        {
            if (_texts[i].IsWanted(sheet))
            {
                texts[wanted++] = i;
            }
        }

        texts = texts[..wanted];
        var groups = _tree.Groups(_hierarchy);
        var prefix = context.Container is { } container ? ContainerGroups.Path(container, _hierarchy.Hierarchy) : null;
        if (context.Container is not null && prefix is null)
        {
            return;
        }

        if (prefix is null && !sheet.WantsNames && sheet.Selection.Listed is { } listed)
        {
            foreach (var id in listed)
            {
                if (groups.Find(id) is { } group)
                {
                    Read(group, sheet, texts);
                }
            }

            return;
        }

        foreach (var group in groups.All)
        {
            if ((prefix is null || ContainerGroups.IsWithin(group.Path, prefix)) && sheet.Selection.Wants(group.Instance.Id))
            {
                Read(group, sheet, texts);
            }
        }
    }

    /// <inheritdoc/>
    public override bool Supports(Sheet probe, int column) => probe.Rows > 0 && (column == _container || base.Supports(probe, column));

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, string>> Labels(InstanceDomainId domain, int instance) =>
        instance < 0
            ? _deviceType.Length > 0 ? [new("device_type", _deviceType)] : []
            : _tree.Groups(_hierarchy).Find(instance) is { } group ? [new("cgroup", group.Instance.Name)] : [];

    private void Read(CgroupNode group, Sheet sheet, ReadOnlySpan<int> texts)
    {
        var row = sheet.AddRow(group.Instance.Id, group.Instance.Name);
        if (_container >= 0 && sheet.Wants(_container))
        {
            sheet.Set(row, _container, group.ContainerId);
        }

        foreach (var index in texts)
        {
            using var text = group.Read(_texts[index].File, _tree.Budget);
            if (text.Error == 0)
            {
                _texts[index].Parse(text.Bytes, sheet, row);
            }
        }
    }
}
