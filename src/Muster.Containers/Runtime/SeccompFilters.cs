using System.Runtime.InteropServices;
using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Runtime;

/// <summary>
/// Compiled seccomp filters, kept by the hash of what they are compiled from. libseccomp takes 15 ms for the default
/// profile on three architectures, at every start; a runtime that takes the compiled filter starts without that.
/// </summary>
public sealed partial class SeccompFilters
{
    private readonly string _folder;

    public SeccompFilters(MusterRoot root) => _folder = Path.Combine(root.Run, "seccomp");

    /// <summary>Whether a system call of that name exists on any architecture, as far as this host's libseccomp knows; true where there is none to ask.</summary>
    public static bool IsCall(string name)
    {
        try
        {
            return seccomp_syscall_resolve_name(name) != -1 /* __NR_SCMP_ERROR */;
        }
        catch (DllNotFoundException)
        {
            return true;
        }
    }

    /// <summary>The BPF program for an app, or null when there is none or libseccomp is missing.</summary>
    public byte[]? Compiled(IsolationRecord isolation)
    {
        if (isolation.Seccomp.Mode == "unconfined")
        {
            return null;
        }

        var path = Path.Combine(_folder, Key(isolation) + ".bpf");
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (IOException)
        {
            return Compile(Profile(isolation), path);
        }
    }

    // All that a profile is made from, each text with its length, and the program that makes it: writing the profile itself
    // at every start, 60 kB, only to hash it, costs a millisecond.
    private static string Key(IsolationRecord isolation)
    {
        var text = new System.Text.StringBuilder();
        foreach (var part in (IEnumerable<string>)[isolation.Seccomp.Mode, isolation.Seccomp.Errno ?? "", "calls", .. isolation.Seccomp.Calls, "capabilities", .. isolation.Capabilities])
        {
            text.Append(part.Length).Append(':').Append(part);
        }

        if (Environment.ProcessPath is { } program)
        {
            var file = new FileInfo(program);
            text.Append(file.LastWriteTimeUtc.Ticks).Append(' ').Append(file.Length);
        }

        return NameHash.Sha256Hex(System.Text.Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static ReadOnlyMemory<byte> Profile(IsolationRecord isolation)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(16384);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            SeccompProfile.Write(json, isolation.Seccomp, isolation.Capabilities);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private byte[]? Compile(ReadOnlyMemory<byte> profile, string path)
    {
        Directory.CreateDirectory(_folder, (UnixFileMode)0b111_000_000);
        try
        {
            using var json = JsonDocument.Parse(profile);
            var beside = $"{path}.{Environment.ProcessId}";
            using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
            {
                Export(json.RootElement.GetProperty("seccomp"), file.SafeFileHandle);
            }

            File.Move(beside, path, overwrite: true);
            return File.ReadAllBytes(path);
        }
        catch (DllNotFoundException)
        {
            return null;
        }
    }

    private static unsafe void Export(JsonElement profile, SafeHandle file)
    {
        var context = seccomp_init(Action(profile.GetProperty("defaultAction").GetString()!, profile.TryGetProperty("defaultErrnoRet", out var ret) ? ret.GetInt32() : 1));
        if (context == 0)
        {
            throw new MusterException(ErrorKind.Unsupported, "libseccomp refused the default action of the seccomp profile");
        }

        try
        {
            _ = seccomp_attr_set(context, 3 /* SCMP_FLTATR_CTL_NNP: the runtime's matter */, 0);

            // A tree of comparisons, not a list: at each start the kernel runs the filter once for every call that exists.
            _ = seccomp_attr_set(context, 8 /* SCMP_FLTATR_CTL_OPTIMIZE */, 2);
            foreach (var architecture in profile.GetProperty("architectures").EnumerateArray())
            {
                _ = seccomp_arch_add(context, Token(architecture.GetString()!));
            }

            foreach (var rule in profile.GetProperty("syscalls").EnumerateArray())
            {
                Add(context, rule);
            }

            LinuxException.Check(seccomp_export_bpf(context, (int)file.DangerousGetHandle()), "seccomp_export_bpf");
        }
        finally
        {
            seccomp_release(context);
        }
    }

    private static unsafe void Add(nint context, JsonElement rule)
    {
        var action = Action(rule.GetProperty("action").GetString()!, rule.TryGetProperty("errnoRet", out var ret) ? ret.GetInt32() : 1);
        var conditions = stackalloc Comparison[6];
        uint count = 0;
        if (rule.TryGetProperty("args", out var args))
        {
            foreach (var arg in args.EnumerateArray())
            {
                conditions[count++] = new Comparison
                {
                    Argument = arg.GetProperty("index").GetUInt32(),
                    Operator = arg.GetProperty("op").GetString() == "SCMP_CMP_EQ" ? 4 : 1,
                    First = arg.GetProperty("value").GetUInt64(),
                };
            }
        }

        foreach (var name in rule.GetProperty("names").EnumerateArray())
        {
            // A call that this libseccomp does not know cannot be told from others: the default action takes it.
            var number = seccomp_syscall_resolve_name(name.GetString()!);
            if (number != -1)
            {
                _ = seccomp_rule_add_array(context, action, number, count, conditions);
            }
        }
    }

    private static uint Action(string name, int errno) => name switch
    {
        "SCMP_ACT_ALLOW" => 0x7fff0000,
        "SCMP_ACT_KILL_PROCESS" => 0x80000000,
        _ => 0x00050000u | (uint)errno,
    };

    private static uint Token(string architecture) => architecture switch
    {
        "SCMP_ARCH_X86_64" => 0xC000003E,
        "SCMP_ARCH_X86" => 0x40000003,
        "SCMP_ARCH_X32" => 0x4000003E,
        "SCMP_ARCH_AARCH64" => 0xC00000B7,
        _ => 0x40000028,
    };

    /// <summary>struct scmp_arg_cmp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Comparison
    {
        public uint Argument;
        public int Operator;
        public ulong First;
        public ulong Second;
    }

    [LibraryImport("libseccomp.so.2")]
    private static partial nint seccomp_init(uint action);

    [LibraryImport("libseccomp.so.2")]
    private static partial void seccomp_release(nint context);

    [LibraryImport("libseccomp.so.2")]
    private static partial int seccomp_attr_set(nint context, int attribute, uint value);

    [LibraryImport("libseccomp.so.2")]
    private static partial int seccomp_arch_add(nint context, uint token);

    [LibraryImport("libseccomp.so.2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int seccomp_syscall_resolve_name(string name);

    [LibraryImport("libseccomp.so.2")]
    private static unsafe partial int seccomp_rule_add_array(nint context, uint action, int call, uint count, Comparison* conditions);

    [LibraryImport("libseccomp.so.2")]
    private static partial int seccomp_export_bpf(nint context, int descriptor);
}
