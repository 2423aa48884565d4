using System.Diagnostics;
using Muster.Linux;
using Muster.Metrics.Containers;
using Muster.TestKit;

namespace Muster.Metrics.Tests.Agents.Containers;

/// <summary>A container as the kernel sees one: control groups in every hierarchy and processes in them. Leaves nothing behind.</summary>
internal sealed class TestContainer : IDisposable
{
    private static int _count;

    private readonly CgroupHierarchies _hierarchies = CgroupHierarchies.Load();
    private readonly List<Process> _processes = [];

    public TestContainer(string? path = null)
    {
        Path = path ?? $"/muster-test-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";
        Make();
    }

    /// <summary>Its path below every hierarchy.</summary>
    public string Path { get; }

    /// <summary>Makes the groups; what is missing of a parent's settings (cpuset) is copied.</summary>
    public void Make()
    {
        foreach (var hierarchy in _hierarchies.All)
        {
            var folder = hierarchy.MountPoint + Path;
            Directory.CreateDirectory(folder);
            foreach (var file in new[] { "cpuset.cpus", "cpuset.mems" })
            {
                if (hierarchy.Controllers.Contains("cpuset"))
                {
                    File.WriteAllText(System.IO.Path.Combine(folder, file), File.ReadAllText(System.IO.Path.Combine(hierarchy.MountPoint, file)));
                }
            }
        }
    }

    public ContainerDescription Describe(string name, int pid = 0, DateTimeOffset? started = null) => new()
    {
        Name = name,
        Id = Path,
        Kind = ContainerKind.Pod,
        State = ContainerState.Running,
        InitPid = pid,
        Cgroup = Path,
        StartedAt = started,
        Labels = [new("image", "example.com/a:1")],
    };

    /// <summary>Writes a setting of the group where the controller is; false when this host has no such setting.</summary>
    public bool Set(string controller, string file, string value)
    {
        var hierarchy = _hierarchies.All.FirstOrDefault(h => h.Controllers.Contains(controller)) ?? _hierarchies.All.FirstOrDefault(h => h.IsV2);
        var path = hierarchy?.MountPoint + Path + "/" + file;
        if (!File.Exists(path))
        {
            return false;
        }

        File.WriteAllText(path, value);
        return true;
    }

    /// <summary>Starts a shell script inside: it joins the groups before it becomes the script.</summary>
    public Process Start(string script)
    {
        var join = string.Concat(_hierarchies.All.Select(h => $"echo $$ > {h.MountPoint}{Path}/cgroup.procs; "));
        var process = ProgramRun.Start("/bin/sh", ["-c", $"{join} exec /bin/sh -c '{script}'"]);
        _processes.Add(process);
        return process;
    }

    /// <summary>Runs a script inside to its end and gives its status.</summary>
    public int Run(string script)
    {
        using var process = Start(script);
        process.StandardInput.Close();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        _processes.Remove(process);
        return process.ExitCode;
    }

    /// <summary>Removes the groups, as the end of a container does.</summary>
    public void Remove()
    {
        for (var attempt = 0; !_hierarchies.Remove(Path) && attempt < 50; attempt++)
        {
            // A process that has ended leaves its group a moment later, and no event tells when.
            ProgramRun.Of("/bin/sleep", ["0.05"]);
        }
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        Remove();
    }
}

/// <summary>Containers as a test says.</summary>
internal sealed class FixedContainers : IContainerSource
{
    public string Name => "test";

    public IReadOnlyList<ContainerDescription> Current { get; set; } = [];

    public void Dispose()
    {
    }
}
