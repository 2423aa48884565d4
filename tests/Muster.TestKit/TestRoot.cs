using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Muster.TestKit;

/// <summary>
/// A root of its own for a test, with the published muster and a small image made of Debian's static busybox. At the end it
/// removes every pod and fails when anything of the root is left on the machine.
/// </summary>
public sealed class TestRoot : IDisposable
{
    private static readonly string[] Applets = ["sh", "true", "false", "cat", "echo", "sleep", "id", "env", "ls", "touch", "stat", "mount", "umount", "hostname", "head", "wc", "grep", "ps", "wget", "httpd", "nc", "ip", "dd", "mkdir", "chmod", "kill", "tty", "stty", "ping", "reboot", "unshare", "readlink", "ln", "rm", "tr", "seq", "yes", "nslookup", "mknod", "date", "md5sum", "chroot", "find"];

    public TestRoot()
    {
        Folder = Path.Combine(Path.GetTempPath(), "muster-test-" + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(Folder);
        Tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Folder)))[..6];
        Work = Path.Combine(Folder, "work");
        Directory.CreateDirectory(Work);
    }

    /// <summary>The <c>--root</c>.</summary>
    public string Folder { get; }

    /// <summary>Six hex digits that mark links, cgroups and tables of this root.</summary>
    public string Tag { get; }

    /// <summary>A folder for the test's own files.</summary>
    public string Work { get; }

    public string Pods => Path.Combine(Folder, "var", "pods");

    /// <summary>Runs muster with this root.</summary>
    public ProgramRun Muster(params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", Folder, .. words]);

    /// <summary>Runs muster with this root and something on its standard input.</summary>
    public ProgramRun MusterWith(string input, params string[] words) => ProgramRun.Of(Repository.Program("muster"), ["--root", Folder, .. words], input);

    /// <summary>Starts muster with this root and leaves it running.</summary>
    public Process Start(params string[] words) => ProgramRun.Start(Repository.Program("muster"), ["--root", Folder, .. words]);

    /// <summary>Builds the busybox image <c>example.com/busybox</c> with further lines of image.yaml, and returns the name to run it by.</summary>
    public string Image(string name = "example.com/busybox", string type = "oci", string more = "")
    {
        var folder = Path.Combine(Work, "image-" + Guid.NewGuid().ToString("N")[..6]);
        var bin = Path.Combine(folder, "rootfs", "bin");
        Directory.CreateDirectory(bin);
        foreach (var empty in (ReadOnlySpan<string>)["etc", "tmp", "proc", "sys", "dev", "root"])
        {
            Directory.CreateDirectory(Path.Combine(folder, "rootfs", empty));
        }

        File.Copy("/usr/bin/busybox", Path.Combine(bin, "busybox"));
        File.SetUnixFileMode(Path.Combine(bin, "busybox"), (UnixFileMode)0b111_101_101);
        foreach (var applet in Applets)
        {
            File.CreateSymbolicLink(Path.Combine(bin, applet), "busybox");
        }

        File.WriteAllText(Path.Combine(folder, "rootfs", "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:web:/home/web:/bin/sh\n");
        File.WriteAllText(Path.Combine(folder, "rootfs", "etc", "group"), "root:x:0:\nweb:x:1000:\nextra:x:2000:web\n");
        File.WriteAllText(Path.Combine(folder, "image.yaml"), $"name: {name}\ntype: {type}\ncopy:\n  - from: rootfs\n    to: /\n{(more.Contains("exec:", StringComparison.Ordinal) ? "" : "exec: [/bin/sh]\n")}{more}");
        Muster("image", "build", folder).Succeeded();
        return name;
    }

    /// <summary>The state that <c>muster status</c> shows.</summary>
    public string State(string pod) => Field(Muster("status", pod).Succeeded().Out, "state");

    /// <summary>One name=value line of <c>muster status</c>.</summary>
    public static string Field(string status, string name) =>
        status.Split('\n').FirstOrDefault(l => l.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? "";

    /// <summary>Waits until a condition holds; fails after a minute, long enough for a machine that builds meanwhile.</summary>
    public static void Until(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new TimeoutException($"It did not come about that {what}");
            }

            Thread.Sleep(20);
        }
    }

    /// <summary>What of this root is on the machine: links, tables, mounts, cgroups, processes.</summary>
    public IReadOnlyList<string> Leftovers()
    {
        var found = new List<string>();
        found.AddRange(Directory.GetDirectories("/sys/class/net").Select(Path.GetFileName).Where(n => n!.StartsWith("mst" + Tag, StringComparison.Ordinal)).Select(n => "link " + n));
        found.AddRange(File.ReadLines("/proc/self/mounts").Where(l => l.Contains(Folder, StringComparison.Ordinal)).Select(l => "mount " + l));
        foreach (var hierarchy in Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup"))
        {
            found.AddRange(Directory.GetDirectories(hierarchy, $"muster-{Tag}*").Select(g => "cgroup " + g));
        }

        foreach (var process in Directory.GetDirectories("/proc").Where(p => int.TryParse(Path.GetFileName(p), out _)))
        {
            try
            {
                var line = File.ReadAllText(process + "/cmdline").Replace('\0', ' ');
                if (line.Contains(Folder + "/", StringComparison.Ordinal))
                {
                    found.Add($"process {Path.GetFileName(process)} {line}");
                }
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        var tables = ProgramRun.Of("/usr/sbin/nft", ["list", "tables"]).Out;
        if (tables.Contains("muster_" + Tag, StringComparison.Ordinal))
        {
            found.Add("nft table muster_" + Tag);
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var pod in Muster("list", "-q", "--all").Out.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            _ = Muster("rm", "--force", pod);
        }

        var collected = Muster("gc", "--grace-period=0s", "--expire-prepared=0s");
        var left = Leftovers();
        if (left.Count == 0)
        {
            Directory.Delete(Folder, recursive: true);
            return;
        }

        throw new InvalidOperationException($"The test left on the machine:\n{string.Join('\n', left)}\ngc said: {collected.Out}{collected.Error}");
    }
}
