using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Core;

namespace Muster.Containers.Runtime;

/// <summary>
/// The system calls that an app may make, in the form of the OCI runtime specification (config-linux.md, Seccomp). The
/// default allows what programs use and answers ENOSYS to the rest, EPERM to what needs a capability the app lacks; it is
/// equivalent to the profile of podman's containers-common.
/// </summary>
public static class SeccompProfile
{
    private const int EPERM = 1;
    private const int ENOSYS = 38;
    private const int EINVAL = 22;

    private static readonly (string Capability, string Calls)[] ByCapability =
    [
        ("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
        ("CAP_SYS_ADMIN", "bpf fanotify_init lookup_dcookie perf_event_open quotactl quotactl_fd setdomainname sethostname"),
        ("CAP_SYS_CHROOT", "chroot"),
        ("CAP_SYS_MODULE", "delete_module finit_module init_module"),
        ("CAP_SYS_PACCT", "acct"),
        ("CAP_SYS_PTRACE", "kcmp process_madvise"),
        ("CAP_SYS_RAWIO", "ioperm iopl"),
        ("CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
        ("CAP_SYS_TTY_CONFIG", "vhangup"),
    ];

    /// <summary>Writes the <c>seccomp</c> object, or nothing for an unconfined app.</summary>
    public static void Write(Utf8JsonWriter json, SeccompChoice choice, IReadOnlyList<string> capabilities)
    {
        switch (choice.Mode)
        {
            case "unconfined":
                return;
            case "default":
                WriteDefault(json, capabilities);
                return;
            case "retain":
                Begin(json, "SCMP_ACT_ERRNO", choice.Errno);
                Rule(json, Expand(choice.Calls, capabilities), "SCMP_ACT_ALLOW");
                End(json);
                return;
            default:
                Begin(json, "SCMP_ACT_ALLOW", null);
                if (Expand(choice.Calls, capabilities) is { Count: > 0 } refused)
                {
                    Rule(json, refused, choice.Errno is "kill" ? "SCMP_ACT_KILL_PROCESS" : "SCMP_ACT_ERRNO", choice.Errno is "kill" ? null : Number(choice.Errno));
                }

                End(json);
                return;
        }
    }

    /// <summary>Replaces App Container's and rkt's wildcards by the calls they stand for.</summary>
    internal static IReadOnlyList<string> Expand(IReadOnlyList<string> calls, IReadOnlyList<string> capabilities)
    {
        var expanded = new List<string>();
        foreach (var call in calls)
        {
            switch (call)
            {
                case "@appc.io/empty":
                    break;
                case "@appc.io/all":
                    expanded.AddRange(AllKnown());
                    break;
                case "@rkt/default-whitelist" or "@docker/default-whitelist" or "@muster/default":
                    // The default profile looks at the arguments of these two; a list can only name the call.
                    expanded.AddRange(Allowed(capabilities));
                    expanded.AddRange(["personality", "socket"]);
                    break;
                case "@rkt/default-blacklist" or "@docker/default-blacklist":
                    expanded.AddRange(SystemCalls.Refused.Split(' '));
                    foreach (var (capability, names) in ByCapability)
                    {
                        if (!capabilities.Contains(capability))
                        {
                            expanded.AddRange(names.Split(' '));
                        }
                    }

                    break;
                case ['@', ..]:
                    throw new MusterException(ErrorKind.Unsupported, $"The seccomp wildcard \"{call}\" is not known: list the system calls themselves");
                default:
                    expanded.Add(call);
                    break;
            }
        }

        return [.. expanded.Distinct(StringComparer.Ordinal)];
    }

    private static void WriteDefault(Utf8JsonWriter json, IReadOnlyList<string> capabilities)
    {
        Begin(json, "SCMP_ACT_ERRNO", "ENOSYS");
        Rule(json, Allowed(capabilities), "SCMP_ACT_ALLOW");
        Rule(json, SystemCalls.Refused.Split(' '), "SCMP_ACT_ERRNO", EPERM);
        foreach (var (capability, calls) in ByCapability)
        {
            if (!capabilities.Contains(capability))
            {
                Rule(json, calls.Split(' '), "SCMP_ACT_ERRNO", EPERM);
            }
        }

        foreach (var persona in (ReadOnlySpan<ulong>)[0, 8, 0x20000, 0x20008, 0xffffffff])
        {
            Rule(json, ["personality"], "SCMP_ACT_ALLOW", null, (0, persona, "SCMP_CMP_EQ"));
        }

        if (capabilities.Contains("CAP_AUDIT_WRITE"))
        {
            Rule(json, ["socket"], "SCMP_ACT_ALLOW");
        }
        else
        {
            // AF_NETLINK (16) with NETLINK_AUDIT (9): no such family, as without audit in the kernel.
            Rule(json, ["socket"], "SCMP_ACT_ERRNO", EINVAL, (0, 16UL, "SCMP_CMP_EQ"), (2, 9UL, "SCMP_CMP_EQ"));
            Rule(json, ["socket"], "SCMP_ACT_ALLOW", null, (2, 9UL, "SCMP_CMP_NE"));
            Rule(json, ["socket"], "SCMP_ACT_ALLOW", null, (0, 16UL, "SCMP_CMP_NE"));
        }

        End(json);
    }

    private static List<string> Allowed(IReadOnlyList<string> capabilities)
    {
        var calls = new List<string>(SystemCalls.Plain.Split(' '));
        foreach (var (capability, names) in ByCapability)
        {
            if (capabilities.Contains(capability))
            {
                calls.AddRange(names.Split(' '));
            }
        }

        return calls;
    }

    private static IEnumerable<string> AllKnown() =>
        SystemCalls.Plain.Split(' ').Concat(SystemCalls.Refused.Split(' ')).Concat(ByCapability.SelectMany(c => c.Calls.Split(' '))).Concat(["personality", "socket"]);

    private static void Begin(Utf8JsonWriter json, string action, string? errno)
    {
        json.WriteStartObject("seccomp"u8);
        json.WriteString("defaultAction"u8, errno is "kill" ? "SCMP_ACT_KILL_PROCESS" : action);
        if (action == "SCMP_ACT_ERRNO" && errno is not "kill")
        {
            json.WriteNumber("defaultErrnoRet"u8, Number(errno));
        }

        json.WriteStartArray("architectures"u8);
        foreach (var architecture in Architectures())
        {
            json.WriteStringValue(architecture);
        }

        json.WriteEndArray();
        json.WriteStartArray("syscalls"u8);
    }

    private static string[] Architectures() => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        System.Runtime.InteropServices.Architecture.Arm64 => ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        _ => [],
    };

    private static void Rule(Utf8JsonWriter json, IReadOnlyList<string> names, string action, int? errno = null, params ReadOnlySpan<(int Index, ulong Value, string Operator)> conditions)
    {
        json.WriteStartObject();
        json.WriteStartArray("names"u8);
        foreach (var name in names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteString("action"u8, action);
        if (errno is { } number)
        {
            json.WriteNumber("errnoRet"u8, number);
        }

        if (conditions.Length > 0)
        {
            json.WriteStartArray("args"u8);
            foreach (var (index, value, op) in conditions)
            {
                json.WriteStartObject();
                json.WriteNumber("index"u8, index);
                json.WriteNumber("value"u8, value);
                json.WriteString("op"u8, op);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void End(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The number of an error's name, such as ENOTSUP; EPERM for none.</summary>
    internal static int Number(string? errno) => errno switch
    {
        null => EPERM,
        "EPERM" => EPERM,
        "ENOENT" => 2,
        "EIO" => 5,
        "EAGAIN" => 11,
        "ENOMEM" => 12,
        "EACCES" => 13,
        "EFAULT" => 14,
        "EBUSY" => 16,
        "EEXIST" => 17,
        "ENODEV" => 19,
        "ENOTDIR" => 20,
        "EINVAL" => EINVAL,
        "ENOSPC" => 28,
        "EROFS" => 30,
        "ENOSYS" => ENOSYS,
        "ENOTSUP" or "EOPNOTSUPP" => 95,
        "ENETUNREACH" => 101,
        "ETIMEDOUT" => 110,
        _ when int.TryParse(errno, out var number) && number is > 0 and < 4096 => number,
        _ => throw new MusterException(ErrorKind.Invalid, $"\"{errno}\" is not an error that seccomp can answer: use a name such as EPERM, EACCES or ENOSYS, or its number"),
    };
}
