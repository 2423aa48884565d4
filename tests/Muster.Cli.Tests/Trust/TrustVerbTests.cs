using System.Diagnostics;
using System.Text;

namespace Muster.Cli.Tests.Trust;

/// <summary>The trust verbs as a user calls them: the built program, real keys, a root of their own.</summary>
public sealed class TrustVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mst-").FullName;

    private string Gnupg => Path.Combine(_folder, "g");

    public TrustVerbTests()
    {
        Directory.CreateDirectory(Gnupg);
        Run("chmod", "700", Gnupg);
        Gpg("--quick-generate-key", "Team <team@test>", "ed25519", "sign", "never");
        File.WriteAllText(Key, Gpg("--armor", "--export"));
    }

    private string Key => Path.Combine(_folder, "k.asc");

    public void Dispose()
    {
        Run("gpgconf", "--homedir", Gnupg, "--kill", "all");
        for (var tries = 0; Directory.Exists(_folder); tries++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (tries < 50)
            {
                // The agent removes its sockets a moment after it was told to end.
                Task.Delay(20).Wait();
            }
        }
    }

    [Fact]
    public void A_key_is_trusted_after_review_listed_and_removed()
    {
        var unseen = Muster("trust", "--prefix", "example.com/team", Key);
        unseen.Status.Should().Be(254);
        unseen.Error.Should().Contain("must be reviewed on a terminal").And.Contain("--skip-fingerprint-review");

        // script(1) gives the program a terminal; the answer is typed there.
        var typed = Shell($"printf 'no\\n' | script -qec '{Command("trust", "--prefix", "example.com/team", Key)}' /dev/null");
        typed.Output.Should().Contain("user id      Team <team@test>").And.Contain("was not confirmed");
        typed.Output.Should().NotContain("\e", "a program that asks a question changes nothing of the terminal");
        Muster("trust", "list", "-q").Output.Should().BeEmpty();
        Shell($"printf 'yes\\n' | script -qec '{Command("trust", "--prefix", "example.com/team", Key)}' /dev/null").Output.Should().Contain("is now trusted for images below \"example.com/team\"");

        var id = Muster("trust", "list", "-q").Output.Trim();
        id.Should().HaveLength(40);
        Muster("trust", "list", "-q", "--filter", "prefix=other*").Output.Should().BeEmpty();
        Muster("trust", "list", "--format=json").Output.Should().Contain("\"prefix\": \"example.com/team\"").And.Contain("\"state\": \"good\"");
        Muster("trust", "rm", id[..10]).Should().Match<(int Status, string Output, string Error)>(r => r.Status == 254 && r.Error.Contains("but it is for --prefix example.com/team"));
        Muster("trust", "rm", "--prefix", "example.com/team", id[..10]).Output.Should().Contain("was deleted");
        Muster("trust", "list", "-q").Output.Should().BeEmpty();
    }

    [Fact]
    public void The_root_switch_and_the_root_folder_are_told_apart()
    {
        Muster("trust", "--root", "--skip-fingerprint-review", Key).Output.Should().Contain("for every image");
        Directory.EnumerateFiles(Path.Combine(_folder, "r/etc/trustedkeys/root.d")).Should().ContainSingle();
        Muster("trust", "--root=/elsewhere", Key).Should().Match<(int Status, string Output, string Error)>(r => r.Status == 2 && r.Error.Contains("muster --root DIR trust"));
        Muster("trust", Key).Status.Should().Be(2);
    }

    [Fact]
    public void A_revocation_is_taken_without_review_and_an_older_copy_is_not_taken_back()
    {
        Muster("trust", "--root", "--skip-fingerprint-review", Key).Status.Should().Be(0);
        var certificate = File.ReadAllText(Directory.EnumerateFiles(Path.Combine(Gnupg, "openpgp-revocs.d")).Single()).Replace(":-----BEGIN", "-----BEGIN");
        File.WriteAllText(Path.Combine(_folder, "rev"), certificate);
        Gpg("--import", Path.Combine(_folder, "rev"));
        var revoked = Path.Combine(_folder, "revoked.asc");
        File.WriteAllText(revoked, Gpg("--armor", "--export"));
        Muster("trust", "--prefix", "new.example", "--skip-fingerprint-review", revoked).Error.Should().Contain("the key was revoked");
        Muster("trust", "--root", revoked).Output.Should().Contain("kept with its revocation");
        Muster("trust", "list").Output.Should().Contain("the key was revoked");
        Muster("trust", "--root", "--skip-fingerprint-review", Key).Error.Should().Contain("older copy");
    }

    [Fact]
    public void Login_and_logout_say_what_is_wrong()
    {
        Muster("login", "nothost").Should().Match<(int Status, string Output, string Error)>(r => r.Status == 2 && r.Error.Contains("HOST[:PORT]"));
        Muster("login", "127.0.0.1:1").Error.Should().Contain("--username");
        Muster("login", "-u", "a", "127.0.0.1:1").Error.Should().Contain("--password-stdin");
        Muster("login", "-u", "a", "--insecure-options=all", "127.0.0.1:1").Error.Should().Contain("has no meaning here");
        Muster("logout", "127.0.0.1:1").Error.Should().Contain("no login");
        Muster("logout").Status.Should().Be(2);
    }

    [Fact]
    public void A_password_is_typed_unseen_and_the_terminal_is_as_before()
    {
        // Nobody listens there, so the login itself fails.
        using var dialog = new Dialog($"stty -a; {Command("login", "--insecure-options=http", "127.0.0.1:1")}; stty -a; echo over");
        dialog.Expect("User at 127.0.0.1:1: ");
        dialog.Send("jane\n");
        dialog.Expect("Password of jane at 127.0.0.1:1: ");
        dialog.Send("tip\u007f\u007fop-secret\n");
        dialog.Expect("over");
        dialog.Seen.Should().Contain("cannot be reached").And.NotContain("secret").And.NotContain("\e");
        var settings = dialog.Seen.Split('\n').Where(l => l.Contains("isig icanon", StringComparison.Ordinal)).ToList();
        settings.Should().HaveCount(2);
        settings[1].Should().Be(settings[0]);
    }

    [Fact]
    public void An_interrupt_at_the_password_gives_the_terminal_back()
    {
        using var dialog = new Dialog($"trap : INT; {Command("login", "-u", "jane", "127.0.0.1:1")}; echo status $?; stty -a; echo over");
        dialog.Expect("Password of jane at 127.0.0.1:1: ");
        dialog.Send("\u0003");
        dialog.Expect("over");
        dialog.Seen.Should().Contain("interrupted").And.Contain("status 130").And.Contain(" echo ");
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "muster.dll");

    private string Command(params string[] words) => string.Join(' ', [Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet", Program, "--root", _folder + "/r", .. words]);

    private (int Status, string Output, string Error) Muster(params string[] words) => Start("dotnet", [Program, "--root", _folder + "/r", .. words]);

    private string Gpg(params string[] words) => Start("gpg", ["--homedir", Gnupg, "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", .. words]).Output;

    private static (int Status, string Output, string Error) Shell(string line) => Start("sh", ["-c", line]);

    private static void Run(string program, params string[] words) => Start(program, words);

    private static (int Status, string Output, string Error) Start(string program, string[] words)
    {
        var start = new ProcessStartInfo(program, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8 };
        start.Environment.Remove("REGISTRY_AUTH_FILE");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
