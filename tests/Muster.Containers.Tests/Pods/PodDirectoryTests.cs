using Muster.Containers.Pods;
using Muster.Core;
using Muster.Linux;

namespace Muster.Containers.Tests.Pods;

/// <summary>A pod looked at by one verb while another process moves it to its next state.</summary>
public sealed class PodDirectoryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly PodStore _store;
    private readonly Guid _uuid = Guid.NewGuid();

    public PodDirectoryTests() => _store = new PodStore(new MusterRoot(_folder));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private PodDirectory Create()
    {
        var pod = _store.Create(_uuid);
        pod.WriteRecord(new PodRecord { Uuid = _uuid.ToString(), Name = "box", CreatedAt = DateTimeOffset.UnixEpoch, Apps = [], Hostname = "box" });
        return pod;
    }

    [Fact]
    public void Is_found_again_in_its_next_state()
    {
        using var holder = Create();
        using var seen = _store.TryFind(_uuid)!;
        foreach (var (folder, state) in new[] { (PodStore.Prepared, PodState.Prepared), (PodStore.Run, PodState.Running), (PodStore.Exited, PodState.Deleting) })
        {
            holder.MoveTo(folder);
            seen.ReadRecord().Name.Should().Be("box");
            _store.StateOf(seen).Should().Be(state);
        }

        holder.MoveTo(PodStore.Prepared);
        _store.StateOf(seen).Should().Be(PodState.Prepared, "the state alone is asked for");
    }

    [Fact]
    public void Is_judged_though_its_cgroup_goes_meanwhile()
    {
        using var holder = Create();
        holder.MoveTo(PodStore.Run);
        var groups = CgroupHierarchies.Load().All.Where(h => h.IsV2 || h.Controllers.Contains("freezer")).Select(h => h.MountPoint + _store.Cgroup(_uuid)).ToList();
        var over = false;
        var churn = new Thread(() =>
        {
            while (!Volatile.Read(ref over))
            {
                groups.ForEach(g => Directory.CreateDirectory(g + "/app"));
                groups.ForEach(g => { Directory.Delete(g + "/app"); Directory.Delete(g); });
            }

            groups.ForEach(g => Directory.Delete(Path.GetDirectoryName(g)!));
        });
        churn.Start();
        try
        {
            for (var i = 0; i < 3000; i++)
            {
                using var seen = _store.TryFind(_uuid)!;
                _store.StateOf(seen).Should().Be(PodState.Running);
            }
        }
        finally
        {
            Volatile.Write(ref over, true);
            churn.Join();
        }
    }

    [Fact]
    public void Comes_once_though_it_moves_while_all_are_listed()
    {
        using var holder = Create();
        holder.MoveTo(PodStore.Run);
        var found = new List<Guid>();
        foreach (var pod in _store.All())
        {
            found.Add(pod.Uuid);
            holder.MoveTo(PodStore.Exited);
        }

        found.Should().Equal(_uuid);
    }

    [Fact]
    public void Is_missing_when_it_was_removed()
    {
        using (Create())
        {
        }

        using var seen = _store.TryFind(_uuid)!;
        Directory.Delete(seen.Path, recursive: true);
        seen.ReadStatus().Should().BeNull();
        seen.Invoking(p => p.ReadRecord()).Should().Throw<MusterException>();
    }
}
