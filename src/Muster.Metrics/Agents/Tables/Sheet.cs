using Muster.Metrics.Collecting;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>
/// What one reading of a source gave: a row for each instance (one row where there are none), a column for each value. A
/// cell without a value stays empty. Kept between readings: filling it again allocates nothing.
/// </summary>
internal sealed class Sheet
{
    private readonly int _columns;
    private readonly bool[] _wanted;
    private MetricValue[] _cells = [];
    private bool[] _filled = [];
    private int[] _instances = [];
    private string?[] _names = [];

    public Sheet(int columns)
    {
        _columns = columns;
        _wanted = new bool[columns];
    }

    /// <summary>Cells that there is room for.</summary>
    public int Capacity => _cells.Length;

    /// <summary>What its owner has counted of them, for a sum over many sheets.</summary>
    public int CountedCells { get; set; }

    public int Rows { get; private set; }

    /// <summary>0, or why there is nothing (<see cref="PcpError"/>).</summary>
    public int Error { get; private set; }

    /// <summary>Which instances are asked for: a source may leave out the others.</summary>
    public InstanceSelection Selection { get; set; } = InstanceSelection.Everything;

    /// <summary>Whether the rows' names are asked for, besides or instead of values.</summary>
    public bool WantsNames { get; set; }

    /// <summary>Whether anything of the sheet is asked for.</summary>
    public bool WantsAny { get; private set; }

    /// <summary>Whether a column is asked for: a source need not fill the others.</summary>
    public bool Wants(int column) => _wanted[column];

    /// <summary>Whether any of the columns from <paramref name="first"/> up to but not including <paramref name="end"/> is asked for.</summary>
    public bool WantsAnyOf(int first, int end) => _wanted.AsSpan(first, end - first).Contains(true);

    public void Want(int column)
    {
        _wanted[column] = true;
        WantsAny = true;
    }

    public void WantAll()
    {
        _wanted.AsSpan().Fill(true);
        WantsAny = true;
    }

    public void Fail(int error)
    {
        Rows = 0;
        Error = error;
    }

    /// <summary>A new row, its cells empty.</summary>
    public int AddRow(int instance, string? name = null)
    {
        if (Rows == _instances.Length)
        {
            var capacity = Math.Max(4, Rows * 2);
            Array.Resize(ref _instances, capacity);
            Array.Resize(ref _names, capacity);
            Array.Resize(ref _cells, capacity * _columns);
            Array.Resize(ref _filled, capacity * _columns);
        }

        _instances[Rows] = instance;
        _names[Rows] = name;
        return Rows++;
    }

    /// <summary>Takes the last row away again.</summary>
    public void DropLastRow()
    {
        Rows--;
        _filled.AsSpan(Rows * _columns, _columns).Clear();
    }

    /// <summary>Takes the values of a row away; the row stays.</summary>
    public void EmptyRow(int row) => _filled.AsSpan(row * _columns, _columns).Clear();

    public int Instance(int row) => _instances[row];

    public string? Name(int row) => _names[row];

    public bool Has(int row, int column) => _filled[(row * _columns) + column];

    public MetricValue Value(int row, int column) => _cells[(row * _columns) + column];

    /// <summary>The number of a cell, 0 when it is empty.</summary>
    public long Number(int row, int column) => Has(row, column) ? Value(row, column).Signed : 0;

    public void Set(int row, int column, long value) => Set(row, column, MetricValue.From(value));

    public void Set(int row, int column, double value) => Set(row, column, MetricValue.From(value));

    public void Set(int row, int column, string value) => Set(row, column, MetricValue.From(value));

    public void Set(int row, int column, MetricValue value)
    {
        var at = (row * _columns) + column;
        _cells[at] = value;
        _filled[at] = true;
    }

    /// <summary>Adds to a number; an empty cell counts as 0.</summary>
    public void Add(int row, int column, long value) => Set(row, column, Number(row, column) + value);

    /// <summary>Empties it for the next reading; strings are let go.</summary>
    public void Clear()
    {
        var used = Rows * _columns;
        _cells.AsSpan(0, Math.Min(used, _cells.Length)).Clear();
        _filled.AsSpan().Clear();
        _names.AsSpan(0, Rows).Clear();
        _wanted.AsSpan().Clear();
        Rows = 0;
        Error = 0;
        WantsAny = false;
        WantsNames = false;
        Selection = InstanceSelection.Everything;
    }
}
