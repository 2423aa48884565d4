using System.Globalization;
using System.Text;
using CsCheck;
using Muster.Fuzz;
using Muster.Linux;
using Muster.Metrics.Agents.FileSystems;
using Muster.Metrics.Agents.Kernel;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Tests.Agents;

/// <summary>The parsers of the kernel's texts, on texts of any kind.</summary>
public sealed class KernelTextTests
{
    [Fact]
    public void Finds_no_fault_near_the_seeds()
    {
        foreach (var input in Mutation.Of(KernelTextTarget.Seeds, seed: 7, count: 2000))
        {
            FluentActions.Invoking(() => KernelTextTarget.Run(input)).Should().NotThrow(Convert.ToBase64String(input));
        }
    }

    [Fact]
    public void Finds_no_fault_in_any_bytes() => Gen.Byte.Array[0, 300].Sample(bytes => KernelTextTarget.Run(bytes), iter: 300);

    [Fact]
    public void Reads_every_number_that_the_kernel_can_write() =>
        Gen.ULong.Sample(n => TextNumbers.TryParse(Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture)), out var value) && (ulong)value == n);

    [Fact]
    public void Reads_negative_numbers() =>
        Gen.Long[long.MinValue + 1, -1].Sample(n => TextNumbers.TryParse(Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture)), out var value) && value == n);

    [Fact]
    public void Reads_hexadecimal_numbers() =>
        Gen.ULong.Sample(n => TextNumbers.TryParseHex(Encoding.ASCII.GetBytes(n.ToString("x", CultureInfo.InvariantCulture)), out var value) && (ulong)value == n);

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("12a")]
    [InlineData(" 1")]
    [InlineData("18446744073709551616")]
    [InlineData("111111111111111111111")]
    public void Takes_nothing_else_for_a_number(string text) => TextNumbers.TryParse(Encoding.ASCII.GetBytes(text), out _).Should().BeFalse();

    [Fact]
    public void Reads_fractions() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[0, 99]).Sample((whole, part) =>
            TextNumbers.TryParseFraction(Encoding.ASCII.GetBytes($"{whole}.{part:D2}"), out var value) && Math.Abs(value - (whole + (part / 100.0))) < 1e-6);

    [Fact]
    public void Divides_a_line_as_splitting_does() =>
        Gen.String[Gen.Char["ab1 \t"], 0, 40].Sample(line =>
        {
            var fields = new TextFields(Encoding.ASCII.GetBytes(line));
            var found = new List<string>();
            while (fields.TryNext(out var field))
            {
                found.Add(Encoding.ASCII.GetString(field));
            }

            return found.SequenceEqual(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
        });

    [Fact]
    public void Gives_back_a_folder_as_it_was_before_the_kernel_escaped_it() =>
        Gen.String[Gen.Char["a/ \t\n\\#"], 0, 30].Sample(folder =>
        {
            var escaped = folder.Replace("\\", "\\134", StringComparison.Ordinal).Replace(" ", "\\040", StringComparison.Ordinal).Replace("\t", "\\011", StringComparison.Ordinal).Replace("\n", "\\012", StringComparison.Ordinal);
            return Mount.Unescape(Encoding.UTF8.GetBytes(escaped)) == folder;
        });

    [Fact]
    public void Reads_the_name_of_a_process_whatever_it_is_called() =>
        Gen.String[Gen.Char["a) (Z1"], 1, 15].Sample(name =>
        {
            var text = $"42 ({name}) R 1 2 3 34816 5 6 7 8 9 10 11 12 13 14 20 0 1 0 100 4096000 25 18446744073709551615";
            var sheet = new Sheet(ProcessStat.Columns.Length);
            sheet.WantAll();
            return ProcessStat.Parse(Encoding.UTF8.GetBytes(text), sheet, sheet.AddRow(42), 0)
                && sheet.Value(0, 1).Text == name && sheet.Value(0, 2).Text == "R" && sheet.Number(0, 13) == 110 && sheet.Number(0, 22) == 4000;
        });

    [Theory]
    [InlineData(34816, "pts/0")]
    [InlineData(34819, "pts/3")]
    [InlineData(1025, "tty1")]
    [InlineData(1088, "ttyS0")]
    [InlineData(0, "?")]
    public void Names_a_terminal(long device, string name) => ProcessStat.TerminalName(device).Should().Be(name);

    [Fact]
    public void Reads_both_lines_of_a_pressure_file()
    {
        PressureText.Parse("some avg10=1.50 avg60=2.25 avg300=0.00 total=5039343437\nfull avg10=0.00 avg60=0.09 avg300=0.31 total=77\n"u8, out var some, out var full);
        some.Should().Be(new Pressure(1.5, 2.25, 0, 5039343437));
        full.Should().Be(new Pressure(0, 0.09, 0.31, 77));
    }

    [Theory]
    [InlineData("0-3,8", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("", new int[0])]
    [InlineData("2", new[] { 2 })]
    [InlineData("5-3,x,1", new[] { 1 })]
    public void Reads_a_list_of_CPUs(string list, int[] cpus) => CpuTopology.Parse(list).Should().Equal(cpus);

    [Fact]
    public void Keeps_the_numbers_of_names_that_are_seen_and_forgets_others()
    {
        var names = new InstanceNames(capacity: 10);
        var kept = names.Find("kept").Id;
        for (var i = 0; i < 100; i++)
        {
            names.Find("name" + i);
            names.Find("kept").Id.Should().Be(kept);
        }

        names.Find("name0").Id.Should().BeGreaterThan(99, "its number was given up and is not used again");
    }
}
