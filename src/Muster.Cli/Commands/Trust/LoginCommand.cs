using Muster.Cli.CommandLine;
using Muster.Core;
using Muster.Images.Http;
using Muster.Images.Oci.Registry;

namespace Muster.Cli.Commands.Trust;

/// <summary><c>muster login</c> and <c>muster logout</c>: logins at registries, kept as podman keeps them.</summary>
internal static class LoginCommand
{
    private static readonly Option AuthFile = new("authfile", "The file with the logins", "FILE") { Default = "$REGISTRY_AUTH_FILE, else podman's auth.json" };

    public static readonly Command Login = new()
    {
        Words = ["login"],
        Summary = "Log in to a registry, or to a web site that has App Container images",
        Usage = "[OPTION…] HOST[:PORT][/PATH]",
        Description = """
            The registry is asked whether the login is right before it is kept. It is kept as podman keeps it, readable by its
            owner only; docker's own file and credential programs are read but not written. A web site that is no registry cannot
            be asked in general: with --unchecked its login is kept as it is, and sent when the site asks for one (Basic, over https).
            """,
        Example = """
            muster login registry.example.com:5000
            printf %s "$TOKEN" | muster login --username ci --password-stdin registry.example.com:5000
            # a web site with App Container images
            muster login --unchecked images.example.com
            """,
        Options =
        [
            new("username", "The user's name; asked for on the terminal otherwise", "NAME") { Short = 'u' },
            new("password-stdin", "Read the password from standard input"),
            AuthFile,
            new("unchecked", "Keep the login without asking the host, for a web site that is no registry"),
            new("insecure-options", "Do without a protection: tls takes any certificate, http takes plain http", "LIST"),
        ],
        Arguments = (1, 1),
        Run = LoginAsync,
    };

    public static readonly Command Logout = new()
    {
        Words = ["logout"],
        Summary = "Forget the login at a registry",
        Usage = "[OPTION…] HOST[:PORT][/PATH]",
        Example = """
            muster logout registry.example.com:5000
            muster logout --all
            """,
        Options = [AuthFile, new("all", "Forget every login of the file")],
        Arguments = (0, 1),
        Run = LogoutAsync,
    };

    private static async Task<int> LoginAsync(Invocation call, CancellationToken ct)
    {
        var name = Place(call.Arguments[0]);
        var options = Options(call);
        var (user, password) = Credentials(call, name, ct);
        using var session = new RegistrySession(call.Root, options, call.Time, call.Value("authfile"));
        var login = new RegistryLogin(user, password);
        if (!call.Has("unchecked"))
        {
            await session.CheckAsync(name.Split('/')[0], login, ct);
        }

        session.Logins.Store(name, login);
        if (!call.Quiet)
        {
            call.Terminal.Out.WriteLine($"{user} is logged in at {name} ({session.Logins.Written})");
        }

        return 0;
    }

    private static Task<int> LogoutAsync(Invocation call, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var files = new AuthFiles(call.Root, call.Value("authfile"));
        if (call.Has("all") == (call.Arguments.Count == 1))
        {
            throw new MusterException(ErrorKind.Usage, "Name one registry, or give --all: usage is muster logout HOST[:PORT] or muster logout --all");
        }

        if (call.Has("all"))
        {
            var count = files.ForgetAll();
            Say(call, $"{Quantity.Counted(count, "login was", "logins were")} forgotten ({files.Written})");
            return Task.FromResult(0);
        }

        var name = Place(call.Arguments[0]);
        if (!files.Forget(name))
        {
            throw new MusterException(ErrorKind.NotFound, files.Find(name) is null
                ? $"There is no login at {name}: {files.Written} has none"
                : $"The login at {name} is not in {files.Written} but in another tool's file: log out there");
        }

        Say(call, $"The login at {name} was forgotten ({files.Written})");
        return Task.FromResult(0);
    }

    private static void Say(Invocation call, string line)
    {
        if (!call.Quiet)
        {
            call.Terminal.Out.WriteLine(line);
        }
    }

    private static string Place(string argument)
    {
        var name = argument.StartsWith("https://", StringComparison.Ordinal) ? argument["https://".Length..] : argument;
        name = name.TrimEnd('/');
        try
        {
            // Any repository's name makes it a whole reference, which is then checked by its own rules.
            _ = RegistryReference.Parse((name.Contains('/', StringComparison.Ordinal) || RegistryReference.HasHost(name + "/") ? name : throw NotAPlace(argument)) + "/x");
            return name;
        }
        catch (MusterException e) when (e.Kind != ErrorKind.Usage)
        {
            throw NotAPlace(argument);
        }
    }

    private static MusterException NotAPlace(string argument) =>
        new(ErrorKind.Usage, $"\"{argument}\" is not a registry: write HOST[:PORT][/PATH], for example registry.example.com:5000");

    private static WebOptions Options(Invocation call)
    {
        var words = (call.Value("insecure-options") ?? "none").Split(',');
        var unknown = words.FirstOrDefault(w => w is not ("none" or "tls" or "http"));
        return unknown is null
            ? new WebOptions { SkipCertificateCheck = words.Contains("tls", StringComparer.Ordinal), AllowHttp = words.Contains("http", StringComparer.Ordinal) }
            : throw new MusterException(ErrorKind.Usage, $"--insecure-options={unknown} has no meaning here: write tls, http or both with a comma");
    }

    private static (string User, string Password) Credentials(Invocation call, string name, CancellationToken ct)
    {
        var terminal = StandardInput.IsTerminal;
        var user = call.Value("username");
        if (user is null)
        {
            if (!terminal || call.Has("password-stdin"))
            {
                throw new MusterException(ErrorKind.Usage, "Without a terminal the user must be given: add --username=NAME");
            }

            user = StandardInput.Ask(call.Terminal, $"User at {name}: ", hidden: false, ct)?.Trim();
        }

        if (string.IsNullOrEmpty(user) || user.Contains(':', StringComparison.Ordinal))
        {
            throw new MusterException(ErrorKind.Usage, "A user's name is neither empty nor has it a colon");
        }

        if (call.Has("password-stdin"))
        {
            return (user, ReadAll());
        }

        return terminal
            ? (user, StandardInput.Ask(call.Terminal, $"Password of {user} at {name}: ", hidden: true, ct) is { Length: > 0 } typed ? typed : throw new MusterException(ErrorKind.Usage, "The password is empty: nothing was changed"))
            : throw new MusterException(ErrorKind.Usage, "Without a terminal the password must come on standard input: add --password-stdin");
    }

    private static string ReadAll() => StandardInput.ReadAll()?.TrimEnd('\r', '\n') is { Length: > 0 } password
        ? password
        : throw new MusterException(ErrorKind.Usage, $"Standard input holds no password of at most {StandardInput.MaxBytes} bytes");
}
