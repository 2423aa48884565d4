using Muster.Linux;
using Muster.Metrics.Containers;

namespace Muster.Metrics.Tests.Agents.Containers;

/// <summary>Other engines' state files, as those engines write them.</summary>
public sealed class ForeignContainersTests : IDisposable
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-engines-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reads_a_container_of_docker()
    {
        Write($"docker/{Id}/config.v2.json", """
            {"ID":"x","Name":"/web","Image":"sha256:abc","RestartCount":2,
             "State":{"Running":true,"Paused":false,"Restarting":false,"Pid":4711,"StartedAt":"2026-01-02T03:04:05.678Z"},
             "Config":{"Image":"nginx:1","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"front"}}}
            """);
        Write($"docker/{Id}/hostconfig.json", """{"NetworkMode":"host"}""");
        using var docker = new DockerContainers(TimeProvider.System, Path.Combine(_folder, "docker"));
        var web = docker.Current.Should().ContainSingle().Subject;
        (web.Name, web.Id, web.Kind, web.State, web.InitPid, web.Restarts, web.HasOwnNetwork).Should().Be(("web", Id, ContainerKind.Docker, ContainerState.Running, 4711, 2L, false));
        web.StartedAt.Should().Be(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero));
        web.Labels.Should().BeEquivalentTo([new KeyValuePair<string, string>("image", "nginx:1"), new("digest", "sha256:abc"), new("project", "shop"), new("service", "front")]);
        docker.Current.Should().BeSameAs(docker.Current);
    }

    [Fact]
    public void Reads_the_containers_of_podman_and_of_its_users()
    {
        Write("storage/overlay-containers/containers.json", $$"""[{"id":"{{Id}}","names":["db"],"image":"abc","metadata":"{\"image-name\":\"quay.io/db:1\"}"},{"id":"short","names":["no"]}]""");
        Write("home/ann/.local/share/containers/storage/overlay-containers/containers.json", $$"""[{"id":"{{Id}}","names":["mine"],"image":"i"}]""");
        using var podman = new PodmanContainers(TimeProvider.System, Path.Combine(_folder, "storage"), Path.Combine(_folder, "run"), Path.Combine(_folder, "home"), Path.Combine(_folder, "user"));
        podman.Current.Select(c => (c.Name, c.State)).Should().Equal(("db", ContainerState.Exited), ("ann:mine", ContainerState.Exited));
        podman.Current[0].Labels.Should().BeEquivalentTo([new KeyValuePair<string, string>("image", "quay.io/db:1"), new("digest", "sha256:abc")]);
    }

    [Fact]
    public void Takes_no_other_process_for_a_containers_because_a_pid_file_names_it()
    {
        Write("storage/overlay-containers/containers.json", $$"""[{"id":"{{Id}}","names":["db"]}]""");
        Write($"run/overlay-containers/{Id}/userdata/pidfile", Environment.ProcessId.ToString());
        using var podman = new PodmanContainers(TimeProvider.System, Path.Combine(_folder, "storage"), Path.Combine(_folder, "run"), Path.Combine(_folder, "home"), _folder);
        podman.Current.Single().InitPid.Should().Be(0);
    }

    [Fact]
    public void Finds_an_LXC_container_by_its_groups()
    {
        Write("lxc/web/config", "lxc.uts.name = web\n");
        Write("lxc/stopped/config", "\n");
        using var group = new TestContainer("/lxc.payload.web");
        var process = group.Start("echo up; read line");
        process.StandardOutput.ReadLine();
        using var lxc = new LxcContainers(TimeProvider.System, CgroupHierarchies.Load(), Path.Combine(_folder, "lxc"));
        lxc.Current.OrderBy(c => c.Name).Select(c => (c.Name, c.State, c.InitPid)).Should().Equal(("stopped", ContainerState.Exited, 0), ("web", ContainerState.Running, process.Id));
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Lets_no_user_fill_the_list_of_LXC_containers_or_hide_those_of_others()
    {
        for (var i = 0; i < 150; i++)
        {
            Write($"home/greedy/.local/share/lxc/c{i}/config", "\n");
        }

        // A link that leads to itself cannot be listed.
        Directory.CreateDirectory(Path.Combine(_folder, "home/odd/.local/share"));
        File.CreateSymbolicLink(Path.Combine(_folder, "home/odd/.local/share/lxc"), "lxc");
        Write("home/zoe/.local/share/lxc/web/config", "\n");
        using var lxc = new LxcContainers(TimeProvider.System, CgroupHierarchies.Load(), Path.Combine(_folder, "lxc"), Path.Combine(_folder, "home"));
        lxc.Current.Count(c => c.Name.StartsWith("greedy:", StringComparison.Ordinal)).Should().Be(100);
        lxc.Current.Should().Contain(c => c.Name == "zoe:web");
    }

    [Fact]
    public void Finds_an_LXC_container_of_a_user_wherever_his_session_put_it()
    {
        var user = $"ada{Environment.ProcessId}";
        Write($"home/{user}/.local/share/lxc/web/config", "\n");
        Write($"home/{user}/.local/share/lxc/stopped/config", "\n");
        Write("home/bob/notes.txt", "\n");
        using var top = new ParentGroup("/user");
        using var own = new TestContainer($"/user/{user}");
        using var scope = new TestContainer($"/user/{user}/run-1.scope");
        using var group = new TestContainer($"/user/{user}/run-1.scope/lxc.payload.web");
        var process = group.Start("echo up; read line");
        process.StandardOutput.ReadLine();
        using var lxc = new LxcContainers(TimeProvider.System, CgroupHierarchies.Load(), Path.Combine(_folder, "lxc"), Path.Combine(_folder, "home"));
        lxc.Current.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => (c.Name, c.State, c.InitPid)).Should().Equal((user + ":stopped", ContainerState.Exited, 0), (user + ":web", ContainerState.Running, process.Id));
        lxc.Current[0].Labels.Should().Contain(new KeyValuePair<string, string>("owner", user));
        process.StandardInput.Close();
        process.WaitForExit();
    }

    [Fact]
    public void Finds_nothing_where_no_engine_is()
    {
        var nowhere = Path.Combine(_folder, "nowhere");
        new DockerContainers(TimeProvider.System, nowhere).Current.Should().BeEmpty();
        new PodmanContainers(TimeProvider.System, nowhere, nowhere, nowhere, nowhere).Current.Should().BeEmpty();
        new LxcContainers(TimeProvider.System, CgroupHierarchies.Load(), nowhere, nowhere).Current.Should().BeEmpty();
    }

    [Theory]
    [InlineData("""{"Name":"/a b","State":{}}""")]
    [InlineData("""{"Name":7,"State":{}}""")]
    [InlineData("""{"Name":"/a"}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public void Leaves_out_what_is_no_container(string text) => DockerContainers.Parse(System.Text.Encoding.UTF8.GetBytes(text), Id, false).Should().BeNull();

    [Fact]
    public void Tells_containers_of_one_name_in_two_engines_apart()
    {
        using var one = new TestContainer();
        var description = one.Describe("web");
        using var catalog = new ContainerCatalog([new FixedContainers { Current = [description] }, new FixedContainers { Current = [description with { Id = "other" }] }]);
        catalog.All.Select(c => c.Name).Should().Equal("web", "test:web");
        catalog.Find("test:web")!.Id.Should().Be("other");
        catalog.Find("nobody").Should().BeNull();
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    /// <summary>A group above those of the test, which the host may have already: taken away when it is empty.</summary>
    private sealed class ParentGroup : IDisposable
    {
        private readonly List<string> _made = [];

        public ParentGroup(string path)
        {
            foreach (var hierarchy in CgroupHierarchies.Load().All.Where(h => !Directory.Exists(h.MountPoint + path)))
            {
                var folder = Directory.CreateDirectory(hierarchy.MountPoint + path).FullName;
                _made.Add(folder);
                foreach (var file in hierarchy.Controllers.Contains("cpuset") && !hierarchy.IsV2 ? new[] { "cpuset.cpus", "cpuset.mems" } : [])
                {
                    File.WriteAllText(Path.Combine(folder, file), File.ReadAllText(Path.Combine(hierarchy.MountPoint, file)));
                }
            }
        }

        public void Dispose() => _made.ForEach(Directory.Delete);
    }
}
