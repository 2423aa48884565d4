using System.Xml.Linq;
using Muster.TestKit;

namespace Muster.Core.Tests;

/// <summary>Rooms call each other only along the arrows of the architecture.</summary>
public sealed class DirectionTests
{
    /// <summary>Every room, and all that it may call, directly or through another.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["Muster.Core"] = [],
        ["Muster.Linux"] = ["Muster.Core"],
        ["Muster.Store"] = ["Muster.Core"],
        ["Muster.Images"] = ["Muster.Core", "Muster.Linux"],
        ["Muster.Network"] = ["Muster.Core", "Muster.Linux"],
        ["Muster.Containers"] = ["Muster.Core", "Muster.Linux", "Muster.Images", "Muster.Network", "Muster.Store", "Muster.Metrics"],
        ["Muster.Metrics"] = ["Muster.Core", "Muster.Linux"],
        ["Muster.Scheduling"] = ["Muster.Core", "Muster.Store", "Muster.Containers"],
        ["Muster.Api"] = ["Muster.Core", "Muster.Linux", "Muster.Store", "Muster.Images", "Muster.Network", "Muster.Containers", "Muster.Metrics", "Muster.Scheduling"],
        ["Muster.Cli"] = ["Muster.Core", "Muster.Linux", "Muster.Store", "Muster.Images", "Muster.Network", "Muster.Containers", "Muster.Metrics"],
        ["Muster.Daemon"] = ["Muster.Core", "Muster.Linux", "Muster.Store", "Muster.Images", "Muster.Network", "Muster.Containers", "Muster.Metrics", "Muster.Scheduling", "Muster.Api"],
        ["Muster.Shim"] = ["Muster.Core", "Muster.Linux"],
    };

    public static TheoryData<string> Projects => new(Directory.GetFiles(Path.Combine(Repository.Folder, "src"), "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!);

    [Theory]
    [MemberData(nameof(Projects))]
    public void Calls_only_along_the_arrows(string project)
    {
        Arrows.Should().ContainKey(project, "a new room needs its arrows in the architecture");
        var references = Items(project, "ProjectReference").ToList();
        references.Select(Path.GetFileNameWithoutExtension).Should().BeSubsetOf(Arrows[project]).And.OnlyHaveUniqueItems();
        references.Should().OnlyContain(r => File.Exists(Path.GetFullPath(r, Folder(project))));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Compiles_and_embeds_nothing_from_another_room(string project)
    {
        foreach (var kind in (string[])["Compile", "EmbeddedResource", "Content", "None", "AdditionalFiles", "Reference"])
        {
            Items(project, kind).Where(i => i.Contains("..", StringComparison.Ordinal)).Should().BeEmpty($"{kind} items of {project} stay inside its folder");
        }

        XDocument.Load(ProjectFile(project)).Descendants("Import").Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Names_no_room_in_its_code_that_it_may_not_call(string project)
    {
        var forbidden = Arrows.Keys.Where(k => k != project && !Arrows[project].Contains(k)).ToList();
        foreach (var source in Directory.GetFiles(Folder(project), "*.cs", SearchOption.AllDirectories))
        {
            foreach (var line in File.ReadLines(source).Where(l => l.StartsWith("using ", StringComparison.Ordinal)))
            {
                var name = line["using ".Length..].TrimEnd(';').Replace("static ", "", StringComparison.Ordinal);
                forbidden.Should().NotContain(f => name == f || name.StartsWith(f + ".", StringComparison.Ordinal), $"{Path.GetRelativePath(Repository.Folder, source)} says \"{line}\"");
            }
        }
    }

    [Fact]
    public void Keeps_the_arrows_free_of_circles()
    {
        foreach (var (room, callees) in Arrows)
        {
            callees.Should().NotContain(c => Arrows[c].Contains(room), $"{room} and the rooms that it calls do not call each other");
        }
    }

    [Fact]
    public void Lists_every_project_in_the_solution()
    {
        var listed = XDocument.Load(Path.Combine(Repository.Folder, "Muster.slnx")).Descendants("Project").Select(p => p.Attribute("Path")!.Value);
        var there = new[] { "src", "tests" }.SelectMany(f => Directory.GetFiles(Path.Combine(Repository.Folder, f), "*.csproj", SearchOption.AllDirectories)).Select(p => Path.GetRelativePath(Repository.Folder, p));
        listed.Should().BeEquivalentTo(there);
    }

    private static string Folder(string project) => Path.Combine(Repository.Folder, "src", project);

    private static string ProjectFile(string project) => Path.Combine(Folder(project), project + ".csproj");

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(ProjectFile(project)).Descendants(kind).Select(i => i.Attribute("Include")?.Value ?? i.Attribute("Update")?.Value ?? "").SelectMany(v => v.Split(';', StringSplitOptions.RemoveEmptyEntries));
}
