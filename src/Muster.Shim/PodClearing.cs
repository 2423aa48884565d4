using Muster.Core;
using Muster.Core.Supervision;
using Muster.Linux;

namespace Muster.Shim;

/// <summary>
/// Clears what an ended pod leaves: the runtime's state, cgroups, what it holds of the network, its folder. For a pod that is
/// not kept a process of its own does it, so that nobody waits for it: it inherits the pod's lock, and <c>muster gc</c> does
/// the same should it be killed.
/// </summary>
internal static class PodClearing
{
    /// <summary>
    /// Moves the pod out of sight and leaves the rest to another process; false when that cannot be had and nothing was done.
    /// </summary>
    public static bool TryLeave(SupervisionPlan plan, ShimOptions options, Action tellEnd)
    {
        if (options.LockDescriptor < 0)
        {
            return false;
        }

        try
        {
            if (plan.TearDownFirst)
            {
                EndNotices.Tell(plan);
                TearDown(plan, options);
            }

            if (plan.NameFile is not null)
            {
                File.Delete(plan.NameFile);
            }

            var self = Environment.ProcessPath ?? "/proc/self/exe";
            Directory.Move(options.Directory, plan.GarbageDirectory!);
            try
            {
                _ = Spawn.Start(self, [self, plan.GarbageDirectory!, "--clear", "--lock-fd=3"], Spawn.Environment(), extra: [(options.LockDescriptor, 3)], session: true);
            }
            catch (LinuxException)
            {
                Directory.Move(plan.GarbageDirectory!, options.Directory);
                return false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        tellEnd();
        return true;
    }

    /// <summary>The other process.</summary>
    public static int Run(ShimOptions options)
    {
        // Whoever is starting something now comes first.
        ProcessControl.Yield();
        var plan = PodSupervisor.ReadPlan(options.Directory);
        EndNotices.Tell(plan);
        var runtime = new RuntimeCalls(plan, options.Directory);
        var cgroupLock = DescriptorLock.Open(plan.CgroupLock, create: true);
        DescriptorLock.Acquire(cgroupLock, shared: true);
        var hierarchies = CgroupHierarchies.Load();
        var containers = plan.Infra is { } infra ? plan.Apps.Append(infra) : plan.Apps;
        // A cgroup with a process in it stays. What outlived process 1 of its namespace (a pod of several apps may end before its
        // infra process) is the runtime's to kill.
        if (hierarchies.Remove(plan.Cgroup, plan.Apps.Select(a => a.Name)))
        {
            foreach (var container in containers)
            {
                runtime.Forget(container.Id);
            }
        }
        else
        {
            foreach (var container in containers)
            {
                runtime.Delete(container.Id);
            }
        }

        RemoveCgroup(plan, cgroupLock, hierarchies);
        if (!plan.TearDownFirst)
        {
            TearDown(plan, options);
        }

        Delete(options.Directory);
        return 0;
    }

    /// <summary>Gives back what the pod holds outside its folder.</summary>
    public static void TearDown(SupervisionPlan plan, ShimOptions options)
    {
        foreach (var words in plan.TearDown)
        {
            Spawn.Wait(Spawn.Start(words[0], words, Spawn.Environment(), -1, -1, options.Foreground ? 2 : -1));
        }
    }

    /// <summary>Removes the pod's cgroups, and the root's own when nobody else needs it.</summary>
    public static void RemoveCgroup(SupervisionPlan plan, int cgroupLock, CgroupHierarchies hierarchies)
    {
        hierarchies.Remove(plan.Cgroup);
        // Whoever gets the lock alone is the last: no starting shim is between making a parent and making its child.
        if (DescriptorLock.TryAcquire(cgroupLock))
        {
            hierarchies.RemoveIfEmpty(plan.Cgroup[..plan.Cgroup.LastIndexOf('/')]);
        }
    }

    // One by one and never deeper: where a host's folder were mounted after all, the kernel says that the place is busy.
    private static void RemovePlaces(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var place in Directory.GetFileSystemEntries(folder))
        {
            if (Directory.Exists(place))
            {
                Directory.Delete(place, recursive: false);
            }
            else
            {
                File.Delete(place);
            }
        }
    }

    /// <summary>
    /// Deletes a pod's folder; nothing is mounted below it any more then, so that it cannot reach into an image's tree. What the apps
    /// wrote has names that are no text, which the framework's own call takes for other files.
    /// </summary>
    public static void Delete(string podDirectory)
    {
        PodMounts.DetachBelow(podDirectory);
        RemovePlaces(Path.Combine(podDirectory, SupervisionPlan.HostVolumesFolder));
        DirectoryHandle.RemoveAll(podDirectory);
    }
}
