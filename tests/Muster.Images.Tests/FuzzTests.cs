using System.Reflection;
using Muster.Fuzz;

namespace Muster.Images.Tests;

/// <summary>Every fuzz target with inputs near its seeds; <c>Muster.Fuzz loop</c> does the same for as long as one likes.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Targets => new(FuzzTargets.All.Keys);

    [Theory]
    [MemberData(nameof(Targets))]
    public void Finds_no_fault_near_the_seeds(string name)
    {
        var target = FuzzTargets.All[name];
        foreach (var input in Mutation.Of(target.Seeds, seed: 7, count: 2000))
        {
            FluentActions.Invoking(() => target.Run(input)).Should().NotThrow(Convert.ToBase64String(input));
        }
    }

    [Fact]
    public void Lists_every_target_there_is()
    {
        var there = typeof(FuzzTargets).Assembly.GetTypes().Where(t => t.Name.EndsWith("Target", StringComparison.Ordinal) && t.GetMethod("Run", BindingFlags.Static | BindingFlags.Public) is not null).Select(t => t.Name);
        FuzzTargets.All.Values.Select(t => t.Run.Method.DeclaringType!.Name).Should().BeEquivalentTo(there);
    }
}
