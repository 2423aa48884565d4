using System.Buffers.Binary;
using System.Text.Json;
using Muster.Containers.Pods;
using Muster.Containers.Runtime;
using Muster.Core;
using System.Runtime.InteropServices;

namespace Muster.Containers.Tests.Runtime;

/// <summary>The profile as the runtime gets it, and the filter that the kernel would run.</summary>
public sealed class SeccompTests : IDisposable
{
    private const uint Allow = 0x7fff0000;
    private const uint Kill = 0x80000000;

    // asm/unistd_64.h
    private const int Socket = 41, Execve = 59, Personality = 135, Ptrace = 101, Chroot = 161, Reboot = 169, InitModule = 175, KexecLoad = 246, Unknown = 4000, Bpf = 321;

    private readonly string _root = Directory.CreateTempSubdirectory("muster-seccomp-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static uint Errno(int number) => 0x00050000u | (uint)number;

    /// <summary>What the compiled filter answers to a call, run as the kernel runs it (classic BPF over struct seccomp_data).</summary>
    private uint Ask(SeccompChoice choice, IReadOnlyList<string> capabilities, int call, params ulong[] arguments)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "the numbers of the calls are those of x86-64");
        var filter = new SeccompFilters(new MusterRoot(_root)).Compiled(Kit.Plain with { Seccomp = choice, Capabilities = capabilities });
        Assert.SkipUnless(filter is not null, "libseccomp is not installed");
        var data = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(data, call);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), 0xC000003E);
        for (var i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), arguments[i]);
        }

        return Run(filter, data);
    }

    private static uint Run(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> data)
    {
        uint a = 0, x = 0;
        var memory = new uint[16];
        for (var at = 0; at < filter.Length / 8; at++)
        {
            var code = BinaryPrimitives.ReadUInt16LittleEndian(filter[(at * 8)..]);
            var (yes, no, k) = (filter[(at * 8) + 2], filter[(at * 8) + 3], BinaryPrimitives.ReadUInt32LittleEndian(filter[((at * 8) + 4)..]));
            switch (code)
            {
                case 0x20: a = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]); break;
                case 0x00: a = k; break;
                case 0x60: a = memory[k]; break;
                case 0x02: memory[k] = a; break;
                case 0x54: a &= k; break;
                case 0x07: x = a; break;
                case 0x87: a = x; break;
                case 0x05: at += (int)k; break;
                case 0x15: at += a == k ? yes : no; break;
                case 0x25: at += a > k ? yes : no; break;
                case 0x35: at += a >= k ? yes : no; break;
                case 0x45: at += (a & k) != 0 ? yes : no; break;
                case 0x06: return k;
                default: throw new NotSupportedException($"instruction 0x{code:x}");
            }
        }

        throw new InvalidOperationException("The filter has no answer");
    }

    [Fact]
    public void Allows_what_programs_need_and_refuses_what_leaves_the_container()
    {
        var plain = new SeccompChoice { Mode = "default" };
        Ask(plain, Capabilities.Default, Execve).Should().Be(Allow);
        Ask(plain, Capabilities.Default, KexecLoad).Should().Be(Errno(1));
        Ask(plain, Capabilities.Default, InitModule).Should().Be(Errno(1));
        Ask(plain, Capabilities.Default, Bpf).Should().Be(Errno(1));
        Ask(plain, Capabilities.Default, Unknown).Should().Be(Errno(38), "a program must be able to fall back from a call that is too new");
        Ask(plain, Capabilities.Default, Reboot).Should().Be(Allow, "as in podman's profile: the kernel asks for CAP_SYS_BOOT");
        Capabilities.Default.Should().NotContain("CAP_SYS_BOOT");
    }

    [Fact]
    public void Allows_a_call_with_the_capability_that_it_needs()
    {
        var plain = new SeccompChoice { Mode = "default" };
        Ask(plain, [], Chroot).Should().Be(Errno(1));
        Ask(plain, ["CAP_SYS_CHROOT"], Chroot).Should().Be(Allow);
        Ask(plain, ["CAP_SYS_MODULE"], InitModule).Should().Be(Allow);
    }

    [Fact]
    public void Looks_at_the_arguments_of_some_calls()
    {
        var plain = new SeccompChoice { Mode = "default" };
        Ask(plain, [], Personality, 0).Should().Be(Allow);
        Ask(plain, [], Personality, 0xffffffff).Should().Be(Allow);
        Ask(plain, [], Personality, 0x0040000).Should().Be(Errno(38), "ADDR_NO_RANDOMIZE is not for containers");
        Ask(plain, [], Socket, 2, 1, 0).Should().Be(Allow);
        Ask(plain, [], Socket, 16, 3, 0).Should().Be(Allow);
        Ask(plain, [], Socket, 16, 3, 9).Should().Be(Errno(22), "NETLINK_AUDIT needs CAP_AUDIT_WRITE");
        Ask(plain, ["CAP_AUDIT_WRITE"], Socket, 16, 3, 9).Should().Be(Allow);
    }

    [Fact]
    public void Keeps_or_removes_the_calls_that_an_image_lists()
    {
        var retain = new SeccompChoice { Mode = "retain", Calls = ["execve", "no_such_call"], Errno = "EACCES" };
        Ask(retain, [], Execve).Should().Be(Allow);
        Ask(retain, [], Ptrace).Should().Be(Errno(13));
        var remove = new SeccompChoice { Mode = "remove", Calls = ["ptrace"], Errno = "ENOTSUP" };
        Ask(remove, [], Execve).Should().Be(Allow);
        Ask(remove, [], Ptrace).Should().Be(Errno(95));
        Ask(retain with { Errno = "kill" }, [], Ptrace).Should().Be(Kill);
        Ask(remove with { Errno = "kill" }, [], Ptrace).Should().Be(Kill);
    }

    [Fact]
    public void Knows_the_wildcards()
    {
        Ask(new SeccompChoice { Mode = "retain", Calls = ["@appc.io/all"], Errno = "EPERM" }, [], KexecLoad).Should().Be(Allow);
        Ask(new SeccompChoice { Mode = "remove", Calls = ["@appc.io/empty"], Errno = "EPERM" }, [], KexecLoad).Should().Be(Allow);
        Ask(new SeccompChoice { Mode = "remove", Calls = ["@rkt/default-blacklist"], Errno = "EPERM" }, [], KexecLoad).Should().Be(Errno(1));
        Ask(new SeccompChoice { Mode = "remove", Calls = ["@docker/default-blacklist"], Errno = "EPERM" }, ["CAP_SYS_CHROOT"], Chroot).Should().Be(Allow);
        var whitelist = new SeccompChoice { Mode = "retain", Calls = ["@rkt/default-whitelist"], Errno = "EPERM" };
        Ask(whitelist, [], Execve).Should().Be(Allow);
        Ask(whitelist, [], KexecLoad).Should().Be(Errno(1));
        Ask(whitelist, [], Personality, 0).Should().Be(Allow, "uname26 and others set one");
        Ask(whitelist, [], Socket, 2).Should().Be(Allow, "a list without sockets would run no server");
        FluentActions.Invoking(() => SeccompProfile.Expand(["@nobody/knows"], [])).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Unsupported);
    }

    [Theory]
    [InlineData("EWHAT")]
    [InlineData("0")]
    [InlineData("4096")]
    [InlineData("-1")]
    public void Refuses_an_error_that_is_none(string errno) =>
        FluentActions.Invoking(() => SeccompProfile.Number(errno)).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Invalid);

    [Fact]
    public void Keeps_a_compiled_filter_and_none_for_the_unconfined()
    {
        var filters = new SeccompFilters(new MusterRoot(_root));
        filters.Compiled(Kit.Plain with { Seccomp = new SeccompChoice { Mode = "unconfined" } }).Should().BeNull();
        var first = filters.Compiled(Kit.Plain);
        Assert.SkipUnless(first is not null, "libseccomp is not installed");
        filters.Compiled(Kit.Plain).Should().Equal(first);
        Directory.GetFiles(Path.Combine(_root, "run", "seccomp")).Should().ContainSingle();
        filters.Compiled(Kit.Plain with { Capabilities = ["CAP_SYS_ADMIN"] }).Should().NotEqual(first, "another app's filter is another one");
        filters.Compiled(Kit.Plain with { Seccomp = new SeccompChoice { Mode = "remove", Calls = ["chroot"] } }).Should().NotEqual(first);
        Directory.GetFiles(Path.Combine(_root, "run", "seccomp")).Should().HaveCount(3);
        JsonDocument.Parse(Kit.Json(json =>
        {
            json.WriteStartObject();
            SeccompProfile.Write(json, new SeccompChoice { Mode = "unconfined" }, []);
            json.WriteEndObject();
        })).RootElement.TryGetProperty("seccomp", out _).Should().BeFalse();
    }
}
