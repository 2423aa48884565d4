using Muster.TestKit;

namespace Muster.Cli.Tests.Host;

public sealed class ManualPagesTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "muster-man-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Writes_a_page_for_every_shown_verb_and_nothing_else()
    {
        Captured.Muster("generate", "man", _folder).Succeeded();
        var pages = CommandTable.All.Where(c => !c.Hidden).Select(c => $"muster-{string.Join('-', c.Words)}.1").Append("muster.1");
        Directory.GetFiles(_folder).Select(Path.GetFileName).Should().BeEquivalentTo(pages);
    }

    [Fact]
    public void Writes_pages_that_the_formatter_takes_without_a_warning()
    {
        var formatter = new[] { "/usr/bin/man", "/usr/bin/groff", "/usr/bin/mandoc" }.FirstOrDefault(File.Exists);
        Captured.Muster("generate", "man", _folder).Succeeded();
        Assert.SkipUnless(formatter is not null, "neither man, groff nor mandoc is installed");
        foreach (var page in Directory.GetFiles(_folder))
        {
            string[] words = Path.GetFileName(formatter) switch
            {
                "man" => ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                "groff" => ["-man", "-ww", "-z", "-Kutf8", page],
                _ => ["-T", "lint", "-W", "error", page],
            };
            var run = ProgramRun.Of(formatter!, words);
            (run.Status, run.Error).Should().Be((0, ""), page);
        }
    }
}
