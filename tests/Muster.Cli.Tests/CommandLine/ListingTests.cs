using System.Text.Json;
using System.Text.Json.Serialization;
using Muster.Cli.CommandLine;
using Muster.Core;

namespace Muster.Cli.Tests.CommandLine;

/// <summary>Tables and JSON, written to a file in place of standard output.</summary>
public sealed partial class ListingTests
{
    private static readonly Row[] Rows = [new("web", "running"), new("web-2", "exited"), new("evil\e[31m\nname\u007f", "running")];

    private static readonly Column<Row>[] Columns = [new("name", r => r.Name), new("state", r => r.State)];

    private static string Write(params (string Name, string Value)[] options) => WriteRows(Rows, options);

    private static string WriteRows(Row[] rows, params (string Name, string Value)[] options)
    {
        var values = options.GroupBy(o => o.Name).ToDictionary(g => g.Key, g => g.Select(o => o.Value).ToList());
        var command = new Command { Words = ["list"], Summary = "", Example = "", Run = (_, _) => Task.FromResult(0) };
        using var output = new StandardOutput();
        using (var terminal = new Terminal())
        {
            Listing.Write(new Invocation(command, new MusterRoot("/nowhere"), values, [], terminal), rows, Columns, RowJson.Default.Row);
        }

        return output.Read();
    }

    [Fact]
    public void Aligns_columns_below_their_names() =>
        WriteRows([new("web", "running"), new("x", "exited")]).Should().Be("NAME  STATE\nweb   running\nx     exited\n");

    [Fact]
    public void Shows_the_names_of_columns_when_there_is_no_row() => WriteRows([]).Should().Be("NAME  STATE\n");

    [Fact]
    public void Lets_no_control_character_reach_the_terminal()
    {
        var text = Write();
        text.Should().Contain("evil?[31m?name?");
        text.Replace("\n", "", StringComparison.Ordinal).Should().NotContainAny("\e", "\u007f");
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(4);
    }

    [Theory]
    [InlineData("name=web", "web")]
    [InlineData("NAME=web*", "web", "web-2")]
    [InlineData("state=e*", "web-2")]
    [InlineData("name=nobody")]
    public void Keeps_the_rows_that_a_filter_matches(string filter, params string[] names)
    {
        var json = JsonDocument.Parse(Write(("filter", filter), ("format", "json"))).RootElement;
        json.EnumerateArray().Select(r => r.GetProperty("Name").GetString()).Should().Equal(names);
    }

    [Fact]
    public void Filters_by_columns_that_are_not_shown()
    {
        var command = new Command { Words = ["list"], Summary = "", Example = "", Run = (_, _) => Task.FromResult(0) };
        using var output = new StandardOutput();
        using (var terminal = new Terminal())
        {
            Listing.Write(new Invocation(command, new MusterRoot("/nowhere"), new() { ["filter"] = ["state=exited"] }, [], terminal), Rows, [Columns[0]], RowJson.Default.Row, filters: Columns);
        }

        output.Read().Should().Be("NAME\nweb-2\n");
    }

    [Fact]
    public void Keeps_only_rows_that_match_every_filter() =>
        Write(("filter", "name=web*"), ("filter", "state=running")).Should().Contain("web ").And.NotContain("web-2");

    [Fact]
    public void Writes_the_true_name_as_json() =>
        JsonDocument.Parse(Write(("format", "json"))).RootElement[2].GetProperty("Name").GetString().Should().Be(Rows[2].Name);

    [Theory]
    [InlineData("colour=red")]
    [InlineData("name")]
    [InlineData("=x")]
    [InlineData("")]
    public void Refuses_a_filter_without_a_column(string filter) => Refusals.Of(() => Write(("filter", filter))).Should().Contain("name, state");

    internal sealed record Row(string Name, string State);

    [JsonSerializable(typeof(Row))]
    internal sealed partial class RowJson : JsonSerializerContext;
}
