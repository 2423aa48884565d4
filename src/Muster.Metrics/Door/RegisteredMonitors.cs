using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Muster.Linux;
using Muster.Metrics.Agents.Text;

namespace Muster.Metrics.Door;

/// <summary>A logger that runs on this host, as <c>pmcd.pmlogger.*</c> shows it.</summary>
/// <param name="Id">Its process; 0 for the primary one.</param>
/// <param name="Name">Its process as a text, or <c>primary</c>.</param>
/// <param name="Port">Where pmlc(1) reaches it; null for one that it does not.</param>
/// <param name="PmcdHost">The host whose metrics it logs.</param>
/// <param name="Archive">The archive that it writes.</param>
internal sealed record LoggerRecord(int Id, string Name, uint? Port, string PmcdHost, string Archive);

/// <summary>A process that evaluates rules, as <c>pmcd.pmie.*</c> shows it; counts are since it was started.</summary>
internal sealed record RuleEngineRecord(int Id, string ConfigFile, string LogFile, string PmcdHost, float Expected, uint Rules, uint Actions, uint True, uint False, uint Unknown, uint Actual);

/// <summary>
/// The pmlogger and pmie processes of this host: each keeps a file named by its process below PCP's folder for temporary files.
/// Those files are other users' words: only regular ones of their size are read, and only those of living processes count.
/// </summary>
/// <param name="folder">PCP's folder (PCP_TMP_DIR).</param>
internal sealed class RegisteredMonitors(string folder)
{
    /// <summary>Processes of one kind that are told of: a host runs a few of each, a farm of loggers some hundred.</summary>
    public const int MaxProcesses = 1024;

    private const string Primary = "primary";
    private const string DefaultFolder = "/var/lib/pcp/tmp";
    private const string Configuration = "/etc/pcp.conf";

    // A port, a host and a path, one a line.
    private const int MaxLoggerFile = 16 * 1024;

    // What pmie maps (pmiestats_t): two paths of 4097 bytes, a host name of 65, padding to 4; then numbers in the host's order.
    private const int PathLength = 4097;
    private const int HostLength = 65;
    private const int Numbers = 8260;
    private const int RuleFileLength = Numbers + 32;
    private const int RuleFileVersion = 1;

    /// <summary>The folder that PCP's own configuration names.</summary>
    public static string Folder() => Environment.GetEnvironmentVariable("PCP_TMP_DIR") is { Length: > 0 } set ? set : ConfiguredFolder();

    public IReadOnlyList<LoggerRecord> Loggers()
    {
        var found = new List<LoggerRecord>();
        foreach (var file in Files("pmlogger"))
        {
            if (file.Name == Primary)
            {
                // A link to the file of its process.
                if (file.LinkTarget is { } target && Find(Path.GetFileName(target)) is { } primary)
                {
                    found.Add(primary with { Id = 0, Name = Primary });
                }
            }
            else if (Find(file.Name) is { } logger)
            {
                found.Add(logger);
            }
        }

        return found;
    }

    public IReadOnlyList<RuleEngineRecord> RuleEngines()
    {
        var found = new List<RuleEngineRecord>();
        foreach (var file in Files("pmie"))
        {
            if (LivingProcess(file.Name) is > 0 and var pid && Read("pmie", file.Name, RuleFileLength) is { } bytes && ParseRuleEngine(pid, bytes) is { } engine)
            {
                found.Add(engine);
            }
        }

        return found;
    }

    /// <summary>A logger's file: its port, the host whose metrics it logs, and its archive, a line each; null for anything else.</summary>
    internal static LoggerRecord? ParseLogger(int pid, ReadOnlySpan<byte> text)
    {
        var lines = Encoding.UTF8.GetString(text).Split('\n');
        return lines.Length >= 3 && uint.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && lines[1].Length > 0 && lines[2].Length > 0
            ? new LoggerRecord(pid, pid.ToString(CultureInfo.InvariantCulture), port, lines[1], lines[2])
            : null;
    }

    /// <summary>What pmie says of itself in the file that it maps; null for another version's.</summary>
    internal static RuleEngineRecord? ParseRuleEngine(int pid, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != RuleFileLength || Word(bytes, 7) != RuleFileVersion)
        {
            return null;
        }

        return new RuleEngineRecord(
            pid,
            Text(bytes[..PathLength]),
            Text(bytes.Slice(PathLength, PathLength)),
            Text(bytes.Slice(2 * PathLength, HostLength)),
            BinaryPrimitives.ReadSingleLittleEndian(bytes[Numbers..]),
            Word(bytes, 1),
            Word(bytes, 2),
            Word(bytes, 3),
            Word(bytes, 4),
            Word(bytes, 5),
            Word(bytes, 6));

        static uint Word(ReadOnlySpan<byte> from, int place) => BinaryPrimitives.ReadUInt32LittleEndian(from[(Numbers + (4 * place))..]);

        static string Text(ReadOnlySpan<byte> from) => Encoding.UTF8.GetString(from[..(from.IndexOf((byte)0) is >= 0 and var end ? end : from.Length)]);
    }

    private static string ConfiguredFolder()
    {
        using var text = KernelText.ReadFile(Configuration);
        var lines = new TextLines(text.Bytes);
        while (lines.TryNext(out var line))
        {
            if (line.StartsWith("PCP_TMP_DIR="u8))
            {
                return Encoding.UTF8.GetString(line["PCP_TMP_DIR="u8.Length..]);
            }
        }

        return DefaultFolder;
    }

    private static int LivingProcess(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0 && Directory.Exists($"/proc/{pid}") ? pid : 0;

    private LoggerRecord? Find(string name) => LivingProcess(name) is > 0 and var pid && Read("pmlogger", name, MaxLoggerFile) is { } text ? ParseLogger(pid, text) : null;

    private IReadOnlyList<FileInfo> Files(string kind)
    {
        var directory = new DirectoryInfo(Path.Combine(folder, kind));
        try
        {
            return directory.Exists ? [.. directory.EnumerateFiles().Take(MaxProcesses)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private byte[]? Read(string kind, string name, int longest)
    {
        // A link could lead to a file that is root's alone; a pipe would not end.
        var descriptor = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(Path.Combine(folder, kind, name)), FileCalls.ReadOnly | FileCalls.NoFollow | FileCalls.NonBlocking);
        if (descriptor < 0)
        {
            return null;
        }

        using var file = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        try
        {
            if (!file.CanSeek || file.Length > longest)
            {
                return null;
            }

            var bytes = new byte[file.Length];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
