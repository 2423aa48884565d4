using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>A line of a pressure file (Documentation/accounting/psi.rst): three averages in percent, and the total in microseconds.</summary>
internal readonly record struct Pressure(double Average10, double Average60, double Average300, long Total);

/// <summary>A pressure file, of the system or of a control group.</summary>
internal static class PressureText
{
    /// <summary>Reads both lines; one that is not there or not of the known form is null.</summary>
    public static void Parse(ReadOnlySpan<byte> text, out Pressure? some, out Pressure? full)
    {
        some = full = null;
        var lines = new TextLines(text);
        while (lines.TryNext(out var line))
        {
            if (line.StartsWith("some "u8))
            {
                some = ParseLine(line[5..]);
            }
            else if (line.StartsWith("full "u8))
            {
                full = ParseLine(line[5..]);
            }
        }
    }

    private static Pressure? ParseLine(ReadOnlySpan<byte> line)
    {
        var fields = new TextFields(line);
        return fields.TryNext(out var a) && TryFraction(a, "avg10="u8, out var average10)
            && fields.TryNext(out var b) && TryFraction(b, "avg60="u8, out var average60)
            && fields.TryNext(out var c) && TryFraction(c, "avg300="u8, out var average300)
            && fields.TryNext(out var d) && d.StartsWith("total="u8) && TextNumbers.TryParse(d[6..], out var total)
            ? new Pressure(average10, average60, average300, total)
            : null;
    }

    private static bool TryFraction(ReadOnlySpan<byte> field, ReadOnlySpan<byte> key, out double value)
    {
        value = 0;
        return field.StartsWith(key) && TextNumbers.TryParseFraction(field[key.Length..], out value);
    }
}
