using Muster.Core;

namespace Muster.Cli.Tests;

internal static class Refusals
{
    /// <summary>Expects a refusal of the words: one sentence on one line, exit status 2.</summary>
    public static string Of(Action act)
    {
        var refusal = act.Should().Throw<MusterException>().Which;
        refusal.Kind.Should().Be(ErrorKind.Usage, refusal.Message);
        refusal.Message.Should().NotBeNullOrWhiteSpace().And.NotContain("\n").And.NotEndWith(".");
        return refusal.Message;
    }
}
