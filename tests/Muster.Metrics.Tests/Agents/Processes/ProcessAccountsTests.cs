using System.Buffers.Binary;
using CsCheck;
using Muster.Metrics.Agents.Cgroups;
using Muster.Metrics.Agents.Processes;
using Muster.Metrics.Agents.Processes.Accounting;
using Muster.Metrics.Collecting;
using Muster.Metrics.Containers;
using Muster.Metrics.Names;
using Muster.Linux;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Processes;

/// <summary>The kernel's own record of processes that ended.</summary>
public sealed class ProcessAccountsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_a_record_as_acct_5_has_it()
    {
        var bytes = new byte[AccountingRecord.Length];
        (bytes[0], bytes[1]) = (17, 3);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), 136 << 8);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), 768);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), 4711);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), 1_800_000_000);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(28), 250);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(36), (2 << 13) | 5);
        "sh"u8.CopyTo(bytes.AsSpan(48));
        var record = AccountingRecord.Read(bytes)!;
        (record.Flags, record.ExitStatus, record.ProcessId, record.Command, record.Ended).Should().Be((17, 768u, 4711u, "sh", 1_800_000_002.5));
        record.Counts[2].Should().Be(5 * 64, "eight to the power of the exponent");
        bytes[1] = 2;
        AccountingRecord.Read(bytes).Should().BeNull("another version has other fields");
    }

    [Fact]
    public void Takes_any_bytes() =>
        Gen.Byte.Array[0, 200].Sample(bytes => AccountingRecord.Read(bytes) is null || bytes.Length == AccountingRecord.Length);

    [Fact]
    public void Tells_what_ended_while_it_is_switched_on_and_leaves_nothing()
    {
        var file = _folder.At("accounting");
        using var accounts = new ProcessAccounts(TimeProvider.System, file);
        using var agent = (IDisposable)ProcessAgent.Create(ContainerCatalog.Empty, new CgroupTree(CgroupHierarchies.Load()), hot: null, accounts);
        var metrics = (IMetricAgent)agent;
        var psinfo = metrics.Metrics.Single(m => m.Name == "acct.psinfo.exitcode");
        var enable = metrics.Metrics.Single(m => m.Name == "acct.control.enable_acct");
        var root = MetricView.Host with { UserId = 0 };
        Values(metrics, psinfo, root).Should().BeEmpty("nothing is accounted for that nobody asked for");
        metrics.Store(enable, -1, MetricValue.From(1L), MetricView.Host with { UserId = 1000 }).Should().Be(PcpError.Permission);
        metrics.Store(enable, -1, MetricValue.From(2L), root).Should().Be(PcpError.BadStore);
        metrics.Store(enable, -1, MetricValue.From(1L), root).Should().Be(0);
        try
        {
            accounts.IsOn.Should().BeTrue();
            new ProcessAccounts(TimeProvider.System, file).Switch(isOn: true).Should().BeFalse("another one holds the file");
            ProgramRun.Of("/bin/sh", ["-c", "exit 3"]);
            TestRoot.Until(() => Values(metrics, psinfo, root).Contains(768), "the shell has ended with 3");
            Values(metrics, psinfo, MetricView.Host with { UserId = null }).Should().BeEmpty("who is not known sees no processes");
            metrics.GetInstances(psinfo.Instances, root).Should().Contain(i => i.Name == "sh");
        }
        finally
        {
            metrics.Store(enable, -1, MetricValue.From(0L), root).Should().Be(0);
        }

        File.Exists(file).Should().BeFalse();
        Values(metrics, psinfo, root).Should().BeEmpty();
    }

    [Fact]
    public void Ends_what_a_killed_owner_left()
    {
        var file = _folder.Write("accounting", "");
        ProcessAccounting.Start(file);
        try
        {
            using var accounts = new ProcessAccounts(TimeProvider.System, file);
            File.Exists(file).Should().BeFalse();
        }
        finally
        {
            ProcessAccounting.Stop();
        }
    }

    [Fact]
    public void Refuses_what_cannot_be_meant()
    {
        using var accounts = new ProcessAccounts(TimeProvider.System, null);
        accounts.Switch(isOn: true).Should().BeFalse("it has no file");
        accounts.SetLifetime(0).Should().BeFalse();
        accounts.SetLifetime(ProcessAccounts.MaxSeconds + 1).Should().BeFalse();
        accounts.SetSizeThreshold(1).Should().BeFalse();
        accounts.SetLifetime(5).Should().BeTrue();
        accounts.Lifetime.Should().Be(5);
    }

    private static List<uint> Values(IMetricAgent agent, MetricDescriptor metric, MetricView view)
    {
        var values = new ValueSet();
        agent.Collect([metric], view, [values]);
        return [.. values.Values.ToArray().Select(v => (uint)v.Value.Unsigned)];
    }
}
