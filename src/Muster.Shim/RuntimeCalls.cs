using System.Text;
using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>The OCI runtime's command line (crun and runc share it): run, delete, kill.</summary>
internal sealed class RuntimeCalls
{
    private static readonly string[] MinimalEnvironment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

    private readonly SupervisionPlan _plan;
    private readonly string _log;

    public RuntimeCalls(SupervisionPlan plan, string podDirectory)
    {
        _plan = plan;
        _log = Path.Combine(podDirectory, "runtime.log");
    }

    /// <summary>Starts <c>run --detach</c>; the container's first process becomes our child when the runtime has left.</summary>
    public int StartDetached(string id, string bundle, string pidFile, string? consoleSocket, int stdin, int stdout, int stderr)
    {
        var words = Words("run", "--detach", "--bundle", bundle, "--pid-file", pidFile);
        if (consoleSocket is not null)
        {
            words.Add("--console-socket");
            words.Add(consoleSocket);
        }

        words.Add(id);
        return Spawn.Start(_plan.Runtime, words, MinimalEnvironment, stdin, stdout, stderr);
    }

    /// <summary>Starts a bundle that runs to its end while the runtime waits for it.</summary>
    public int StartAttached(string id, string bundle, int stdout, int stderr) =>
        Spawn.Start(_plan.Runtime, Words("run", "--bundle", bundle, id), MinimalEnvironment, -1, stdout, stderr);

    /// <summary>Deletes what the runtime keeps of a container, killing what is left of it.</summary>
    public void Delete(string id) => Spawn.Wait(Spawn.Start(_plan.Runtime, Words("delete", "--force", id), MinimalEnvironment));

    /// <summary>
    /// Removes the folder that the runtime keeps of a container whose processes have all ended and whose cgroups somebody else
    /// removes: our bundles have no hooks, so that nothing else is left of <c>delete</c>, and a program is started less at every end.
    /// </summary>
    public void Forget(string id)
    {
        var root = StateRoot();
        if (root is null)
        {
            Delete(id);
            return;
        }

        try
        {
            Directory.Delete(Path.Combine(root, id), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It never started.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The runtime knows its own folder best; the pod's end goes on in any case.
            Delete(id);
        }
    }

    // Both runtimes that are known keep a container's state in ROOT/ID; the root is ours, so is the id.
    private string? StateRoot()
    {
        if (Path.GetFileName(_plan.Runtime) is not ("crun" or "runc"))
        {
            return null;
        }

        for (var i = 0; i + 1 < _plan.RuntimeArguments.Count; i++)
        {
            if (_plan.RuntimeArguments[i] == "--root")
            {
                return _plan.RuntimeArguments[i + 1];
            }
        }

        return null;
    }

    /// <summary>
    /// Why the runtime refused, from its log: the exit status that a shell would give (126 cannot be executed, 127 not
    /// found, 254 otherwise) and one sentence.
    /// </summary>
    public (int Status, string Sentence) ExplainFailure(string app)
    {
        var text = "the OCI runtime gave no reason";
        try
        {
            // Both write one record a line; the last error is the cause seen from outermost.
            var lines = File.ReadAllLines(_log);
            var last = lines.LastOrDefault(l => l.Contains("error", StringComparison.Ordinal)) ?? lines.LastOrDefault();
            text = last is null ? text : MessageOf(last);
        }
        catch (IOException)
        {
            // No log: the runtime failed before it opened one.
        }

        var status = text.Contains("executable file", StringComparison.Ordinal) && text.Contains("not found", StringComparison.Ordinal) ? 127
            : text.Contains("exec", StringComparison.Ordinal) && text.Contains("no such file or directory", StringComparison.OrdinalIgnoreCase) && !text.Contains("mount", StringComparison.Ordinal) ? 127
            : text.Contains("open executable", StringComparison.Ordinal) && text.Contains("not permitted", StringComparison.OrdinalIgnoreCase) ? 126
            : text.Contains("exec", StringComparison.Ordinal) && text.Contains("permission denied", StringComparison.OrdinalIgnoreCase) && !text.Contains("mount", StringComparison.Ordinal) ? 126
            : 254;
        return (status, $"App \"{app}\" did not start: {Shorten(text)}");
    }

    // runc tells its own innards first; what went wrong stands behind.
    private static string Shorten(string text)
    {
        const string lead = "unable to start container process: ";
        var at = text.IndexOf(lead, StringComparison.Ordinal);
        return (at < 0 ? text : text[(at + lead.Length)..]).Trim();
    }

    // {"level":"error","msg":"…","time":…}
    private static string MessageOf(string line)
    {
        try
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("msg", out var message) ? message.GetString() ?? line : line;
        }
        catch (System.Text.Json.JsonException)
        {
            return line;
        }
    }

    private List<string> Words(params ReadOnlySpan<string> verb)
    {
        var words = new List<string> { _plan.Runtime };
        words.AddRange(_plan.RuntimeArguments);
        words.Add("--log");
        words.Add(_log);
        words.Add("--log-format");
        words.Add("json");
        words.AddRange(verb);
        return words;
    }
}
