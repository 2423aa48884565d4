using System.Globalization;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Tables;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Kernel;

/// <summary>The objects of System V IPC, a row each, from a table of /proc/sysvipc (sysvipc(7)) as <c>ipcs</c> shows them.</summary>
internal sealed class IpcTableSource : Source
{
    public const string SharedMemoryTable = """
        ipc.shm.key             64.0 28 string discrete none =    | Key by which programs find the segment
        ipc.shm.owner           64.1 28 string discrete none =    | Name of the owner
        ipc.shm.perms           64.2 28 u32    instant  none =    | Permissions; the decimal digits are the octal ones
        ipc.shm.segsz           64.3 28 u32    discrete B    =    | Size of the segment
        ipc.shm.nattch          64.4 28 u32    instant  none =    | Processes that it is attached to
        ipc.shm.status          64.5 28 string instant  none =    | dest when it ends with its last user, locked when it cannot be swapped out
        ipc.shm.creator_pid     64.6 28 u32    discrete none cpid | Process that made it
        ipc.shm.last_access_pid 64.7 28 u32    instant  none lpid | Process that attached or detached it last
        """;

    public const string MessageTable = """
        ipc.msg.key           65.0 29 string discrete none =      | Key by which programs find the queue
        ipc.msg.owner         65.1 29 string discrete none =      | Name of the owner
        ipc.msg.perms         65.2 29 u32    instant  none =      | Permissions; the decimal digits are the octal ones
        ipc.msg.msgsz         65.3 29 u32    discrete B    cbytes | Bytes of the messages that wait in the queue
        ipc.msg.messages      65.4 29 u32    instant  none qnum   | Messages that wait in the queue
        ipc.msg.last_send_pid 65.5 29 u32    instant  B    lspid  | Process that sent last (its unit of bytes is PCP's own slip)
        ipc.msg.last_recv_pid 65.6 29 u32    instant  none lrpid  | Process that received last
        """;

    public const string SemaphoreTable = """
        ipc.sem.key   66.0 30 string discrete none = | Key by which programs find the set
        ipc.sem.owner 66.1 30 string discrete none = | Name of the owner
        ipc.sem.perms 66.2 30 u32    instant  none = | Permissions; the decimal digits are the octal ones
        ipc.sem.nsems 66.3 30 u32    instant  none = | Semaphores in the set
        """;

    // What the columns of every table begin with.
    private static readonly string[] Common = ["key", "owner", "perms", "status"];

    private const int Key = 0;
    private const int Owner = 1;
    private const int Permissions = 2;
    private const int Status = 3;

    // Flags beside the permissions (sys/shm.h).
    private const int Destroyed = 0x200;
    private const int Locked = 0x400;

    private readonly KernelFile _file;
    private readonly string[] _fields;
    private readonly int _owner;
    private readonly AccountNames _accounts;

    /// <param name="file">The table.</param>
    /// <param name="domain">The domain of its objects.</param>
    /// <param name="fields">The columns of the fields from the fourth on; empty for one that is not told.</param>
    /// <param name="owner">The field that has the owner's number.</param>
    /// <param name="accounts">Names of users.</param>
    private IpcTableSource(string file, InstanceDomainId domain, string[] fields, int owner, AccountNames accounts)
        : base(ContainerScope.Host, new SheetShape(domain, [.. Common, .. fields]))
    {
        _file = new KernelFile("/proc/sysvipc/" + file);
        _fields = fields;
        _owner = owner;
        _accounts = accounts;
    }

    public static IpcTableSource SharedMemory(InstanceDomainId domain, AccountNames accounts) => new("shm", domain, ["segsz", "cpid", "lpid", "nattch"], 7, accounts);

    public static IpcTableSource Messages(InstanceDomainId domain, AccountNames accounts) => new("msg", domain, ["cbytes", "qnum", "lspid", "lrpid"], 7, accounts);

    public static IpcTableSource Semaphores(InstanceDomainId domain, AccountNames accounts) => new("sem", domain, ["nsems"], 4, accounts);

    /// <inheritdoc/>
    public override void Read(ReadContext context, ReadOnlySpan<Sheet> sheets)
    {
        using var text = _file.Read();
        if (text.Error != 0)
        {
            sheets[0].Fail(text.Error);
            return;
        }

        Parse(text.Bytes, sheets[0]);
    }

    internal void Parse(ReadOnlySpan<byte> table, Sheet sheet)
    {
        var lines = new TextLines(table);
        for (lines.TryNext(out _); lines.TryNext(out var line);)
        {
            var fields = new TextFields(line);
            if (!fields.TryNumber(out var key) || !fields.TryNumber(out var id) || !fields.TryNumber(out var octal) || id is < 0 or > int.MaxValue || !sheet.Selection.Wants((int)id))
            {
                continue;
            }

            var row = sheet.AddRow((int)id, sheet.WantsNames ? id.ToString(CultureInfo.InvariantCulture) : null);
            var mode = Octal(octal);
            sheet.Set(row, Permissions, octal % 1000);
            for (var i = 0; i < _fields.Length && fields.TryNumber(out var value); i++)
            {
                // The metrics have 32 bits; what is more stays the most.
                sheet.Set(row, Common.Length + i, (long)Math.Min((ulong)value, uint.MaxValue));
            }

            if (sheet.Wants(Key))
            {
                sheet.Set(row, Key, $"0x{(uint)key:x8}");
            }

            if (sheet.Wants(Status))
            {
                sheet.Set(row, Status, ((mode & Destroyed) != 0, (mode & Locked) != 0) switch { (true, true) => "dest locked", (true, false) => "dest", (false, true) => "locked", _ => "" });
            }

            if (sheet.Wants(Owner))
            {
                var rest = new TextFields(line);
                rest.Skip(_owner);
                if (rest.TryNumber(out var user))
                {
                    sheet.Set(row, Owner, _accounts.User((uint)user));
                }
            }
        }
    }

    // The number whose octal digits were read as decimal ones.
    private static int Octal(long digits)
    {
        var value = 0;
        for (var place = 0; digits > 0 && place < 24; digits /= 10, place += 3)
        {
            value |= (int)(digits % 10 & 7) << place;
        }

        return value;
    }
}
