using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Tables;

/// <summary>A number in a small file: the field of that place, counted from 0.</summary>
internal sealed record NumberFile(string Column, string Path, int Field = 0);

/// <summary>A source of one sheet without instances whose columns are numbers in files of their own, each read only when asked.</summary>
internal sealed class NumberFiles(IReadOnlyList<NumberFile> files) : Source(ContainerScope.Host, new SheetShape(InstanceDomainId.None, [.. files.Select(f => f.Column)]))
{
    private readonly KernelFile[] _files = [.. files.Select(f => new KernelFile(f.Path))];

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        var row = sheets[0].AddRow(-1);
        for (var i = 0; i < _files.Length; i++)
        {
            if (!sheets[0].Wants(i))
            {
                continue;
            }

            using var text = _files[i].Read();
            var fields = new TextFields(text.Bytes.TrimEnd((byte)'\n'));
            fields.Skip(files[i].Field);
            if (fields.TryNumber(out var value))
            {
                sheets[0].Set(row, i, value);
            }
        }
    }
}
