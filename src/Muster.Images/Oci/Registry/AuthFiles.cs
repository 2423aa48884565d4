#pragma warning disable CA1416 // Muster runs on Linux only; file modes exist there.
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Muster.Core;
using Muster.Linux;

namespace Muster.Images.Oci.Registry;

/// <summary>A login at a registry: user and password, or an identity token in the password's place.</summary>
public sealed record RegistryLogin(string User, string Password)
{
    /// <summary>True when <see cref="Password"/> is an OAuth2 refresh token.</summary>
    public bool IsIdentityToken { get; init; }

    /// <summary>As a request says it (RFC 7617).</summary>
    internal System.Net.Http.Headers.AuthenticationHeaderValue Basic => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":" + Password)));
}

/// <summary>
/// Logins as docker (<c>config.json</c>) and podman (<c>auth.json</c>, containers-auth.json(5)) keep them, credential
/// programs included. Looked for in this order: the file given, REGISTRY_AUTH_FILE, the root's own
/// <c>run/auth.json</c> under <c>--root</c>, $XDG_RUNTIME_DIR/containers or /run/containers/UID, ~/.config/containers,
/// $DOCKER_CONFIG or ~/.docker.
/// </summary>
public sealed class AuthFiles
{
    /// <summary>A file with a thousand logins has a tenth of this.</summary>
    public const int MaxBytes = 1 << 20;

    private const int HelperMilliseconds = 30_000;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<string> _read;

    /// <summary>The files that hold for <paramref name="root"/>; reads nothing.</summary>
    /// <param name="given">The file of <c>--authfile</c>: it alone is read and written.</param>
    public AuthFiles(MusterRoot root, string? given = null)
    {
        var home = Variable("HOME");
        var runtime = Variable("XDG_RUNTIME_DIR") is { } xdg ? Path.Combine(xdg, "containers") : $"/run/containers/{UserId()}";
        Written = given ?? Variable("REGISTRY_AUTH_FILE") ?? Path.Combine(root.IsSystem ? runtime : root.Run, "auth.json");
        _read = [Written];
        if (given is null && Variable("REGISTRY_AUTH_FILE") is null)
        {
            _read.Add(Path.Combine(runtime, "auth.json"));
            if (home is not null)
            {
                _read.Add(Path.Combine(home, ".config/containers/auth.json"));
            }

            var docker = Variable("DOCKER_CONFIG") ?? (home is null ? null : Path.Combine(home, ".docker"));
            if (docker is not null)
            {
                _read.Add(Path.Combine(docker, "config.json"));
            }
        }
    }

    /// <summary>The file that login writes and logout changes.</summary>
    public string Written { get; }

    /// <summary>The login for <c>host[:port]/repository</c>, of the narrowest entry; null where there is none.</summary>
    public RegistryLogin? Find(string name)
    {
        foreach (var path in _read.Distinct(StringComparer.Ordinal))
        {
            if (Read(path) is { } file && Find(file, path, name) is { } login)
            {
                return login;
            }
        }

        return null;
    }

    /// <summary>Keeps a login for <c>host[:port][/path]</c>; the file is its owner's alone.</summary>
    public void Store(string name, RegistryLogin login)
    {
        var file = Read(Written) ?? [];
        if (file["auths"] is not JsonObject auths)
        {
            file["auths"] = auths = [];
        }

        auths[name] = new JsonObject { ["auth"] = JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes(login.User + ":" + login.Password))) };
        Write(file);
    }

    /// <summary>Forgets a login; false when the written file has none.</summary>
    public bool Forget(string name)
    {
        var file = Read(Written);
        if (file?["auths"] is not JsonObject auths || !auths.Remove(name))
        {
            return false;
        }

        Write(file);
        return true;
    }

    /// <summary>Forgets every login of the written file; returns how many there were.</summary>
    public int ForgetAll()
    {
        var file = Read(Written);
        if (file?["auths"] is not JsonObject auths || auths.Count == 0)
        {
            return 0;
        }

        var count = auths.Count;
        file["auths"] = new JsonObject();
        Write(file);
        return count;
    }

    private static string UserId()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Uid:", StringComparison.Ordinal))
            {
                return line.Split('\t')[1];
            }
        }

        return "0";
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static RegistryLogin? Find(JsonObject file, string path, string name)
    {
        foreach (var key in Keys(name))
        {
            if (file["credHelpers"] is JsonObject helpers && Text(helpers, key) is { } helper && Ask(helper, key) is { } login)
            {
                return login;
            }

            if (file["auths"] is JsonObject auths && auths[key] is JsonObject entry && Decode(entry, path, key) is { } kept)
            {
                return kept;
            }
        }

        return Text(file, "credsStore") is { } store ? Ask(store, Keys(name).Last()) : null;
    }

    /// <summary>The names under which a login may be kept, the narrowest first; Docker Hub has one of its own.</summary>
    private static IEnumerable<string> Keys(string name)
    {
        for (var key = name; ;)
        {
            yield return key;
            var slash = key.LastIndexOf('/');
            if (slash < 0)
            {
                break;
            }

            key = key[..slash];
        }

        if (name == "docker.io" || name.StartsWith("docker.io/", StringComparison.Ordinal))
        {
            yield return "https://index.docker.io/v1/";
        }
        else
        {
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            yield return "https://" + (slash < 0 ? name : name[..slash]);
        }
    }

    private static RegistryLogin? Decode(JsonObject entry, string path, string key)
    {
        if (Text(entry, "identitytoken") is { Length: > 0 } token)
        {
            return new RegistryLogin("<token>", token) { IsIdentityToken = true };
        }

        if (Text(entry, "auth") is not { Length: > 0 } auth)
        {
            return null;
        }

        var bytes = new byte[auth.Length];
        if (!Convert.TryFromBase64String(auth, bytes, out var length))
        {
            throw new MusterException(ErrorKind.Invalid, $"The login for {key} in {path} is damaged: log in again with muster login {key}");
        }

        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new RegistryLogin(text[..colon], text[(colon + 1)..].TrimEnd('\0'))
            : throw new MusterException(ErrorKind.Invalid, $"The login for {key} in {path} is damaged: log in again with muster login {key}");
    }

    /// <summary>Asks docker-credential-NAME (docker's credential helper protocol): the server on its input, JSON on its output.</summary>
    private static RegistryLogin? Ask(string helper, string server)
    {
        if (helper.Length is 0 or > 64 || !helper.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new MusterException(ErrorKind.Invalid, $"The credential helper \"{helper}\" has an impossible name: correct the auth file");
        }

        var start = new ProcessStartInfo("docker-credential-" + helper, ["get"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            Tell(process.StandardInput, server);
            var output = new char[MaxBytes / 16];
            var reading = process.StandardOutput.ReadBlockAsync(output, 0, output.Length);
            if (!reading.Wait(HelperMilliseconds) || !process.WaitForExit(HelperMilliseconds))
            {
                process.Kill(entireProcessTree: true);
                throw new MusterException(ErrorKind.Timeout, $"docker-credential-{helper} did not answer within {HelperMilliseconds / 1000} s: run it by hand to see why");
            }

            var answered = Encoding.UTF8.GetBytes(output, 0, reading.Result);
            if (process.ExitCode != 0)
            {
                // The protocol has no other mark: these words mean that there is no login, all others that the helper failed.
                return output.AsSpan(0, reading.Result).Contains("credentials not found", StringComparison.Ordinal)
                    ? null
                    : throw new MusterException(ErrorKind.Unsupported, $"docker-credential-{helper}, which the auth file names, failed with {process.ExitCode} ({Archives.TarEntry.Display(answered.AsSpan(0, Math.Min(answered.Length, 200)).TrimEnd("\r\n "u8))}): run it by hand to see why, or log in with muster login");
            }

            if (StrictJson.Parse(answered, maxDepth: 16) is not { ValueKind: JsonValueKind.Object } said)
            {
                return null;
            }

            var answer = JsonObject.Create(said)!;
            return Text(answer, "Username") is { } user && Text(answer, "Secret") is { } secret
                ? new RegistryLogin(user, secret) { IsIdentityToken = user == "<token>" }
                : null;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or JsonException or IOException)
        {
            throw new MusterException(ErrorKind.Unsupported, $"docker-credential-{helper}, which the auth file names, cannot be used ({(e is JsonException fault ? "its answer is not JSON: " + JsonFault.Of(fault) : e.Message)}): install it, or log in with muster login", e);
        }
    }

    private static void Tell(StreamWriter input, string server)
    {
        try
        {
            input.Write(server);
            input.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its status and its words say why.
        }
    }

    private static string? Text(JsonObject entry, string name) =>
        entry[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static JsonObject? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        if (new FileInfo(path).Length > MaxBytes)
        {
            throw new MusterException(ErrorKind.Invalid, $"The auth file {path} is larger than {MaxBytes >> 20} MiB: it is none");
        }

        try
        {
            return StrictJson.Parse(File.ReadAllBytes(path), maxDepth: 16) is { ValueKind: JsonValueKind.Object } file ? JsonObject.Create(file)! : [];
        }
        catch (JsonException e)
        {
            throw new MusterException(ErrorKind.Invalid, $"The auth file {path} cannot be read ({JsonFault.Of(e)}): correct it, or remove it and log in again", e);
        }
    }

    private void Write(JsonObject file)
    {
        // Through a link, which others of the user's files may be kept behind.
        var target = File.Exists(Written) ? RealPath.Resolve(Written) : Path.GetFullPath(Written);
        var folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        var staged = Path.Combine(folder, ".auth-" + Guid.NewGuid().ToString("N"));
        try
        {
            using (var stream = new FileStream(staged, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            {
                file.WriteTo(writer);
            }

            File.Move(staged, target, overwrite: true);
        }
        finally
        {
            File.Delete(staged);
        }
    }
}
