using Muster.Cli.CommandLine;

namespace Muster.Cli.Commands.Pods;

/// <summary>The options of run, prepare and run-prepared: those of the pod, and those that follow an image.</summary>
internal static class RunOptions
{
    public static readonly IReadOnlyList<Option> Start =
    [
        new("net", "Networks to join: default, none, host or a network's name, with arguments behind a colon", "NAME[:KEY=VALUE,…]") { Repeatable = true, Default = "default" },
        new("dns", "A name server's address, or host, or none", "ADDRESS") { Repeatable = true },
        new("dns-search", "A domain in which short names are looked up", "DOMAIN") { Repeatable = true },
        new("dns-opt", "An option of resolv.conf", "OPTION") { Repeatable = true },
        new("dns-domain", "The local domain of resolv.conf", "DOMAIN"),
        new("hosts-entry", "A line for /etc/hosts, or host for the host's own file", "ADDRESS=NAME") { Repeatable = true },
        new("hostname", "The pod's host name", "NAME"),
        new("interactive", "Give the app a terminal and the caller's standard input") { Short = 'i' },
        new("mds-register", "Register the pod with the App Container metadata service"),
        new("ipc", "IPC namespace of the pod", "MODE") { Choices = ["auto", "private", "parent"], Default = "private" },
        new("runtime", "The OCI runtime, by name or path", "RUNTIME") { Default = "the first of crun and runc that works here" },
        new("detach", "Return when every app runs, and print the pod's UUID") { Short = 'd' },
        new("uuid-file-save", "Write the pod's UUID to FILE", "FILE"),
    ];

    public static readonly IReadOnlyList<Option> Pod =
    [
        new("name", "Before the first image: the pod's name; after an image: the app's", "NAME"),
        new("port", "Publish a port that an image names", "NAME:[ADDRESS:]PORT") { Repeatable = true },
        new("publish", "Publish a port by number", "[ADDRESS:]HOST:POD[/PROTOCOL]") { Short = 'p', Repeatable = true },
        new("volume", "Define a volume: NAME,kind=host,source=PATH or NAME,kind=empty; with readOnly, recursive, mode, uid, gid", "VOLUME") { Repeatable = true },
        new("inherit-env", "Pass the caller's environment on"),
        new("set-env", "Set a variable for every app", "NAME=VALUE") { Repeatable = true },
        new("set-env-file", "Read variables for every app from FILE", "FILE") { Repeatable = true },
        new("private-users", "Give the pod a user namespace of its own"),
        new("pod-manifest", "Take the pod from an App Container PodManifest; no images are named then", "FILE"),
        new("pull-policy", "When to look for an image again", "POLICY") { Choices = ["new", "update", "never"], Default = "new" },
        new("insecure-options", "Do without: image, tls, http, pubkey, capabilities, paths, seccomp, all-fetch, all-run, all", "WORD,…") { Repeatable = true },
        new("ignore-isolator", "Start although this isolator cannot be enforced", "NAME") { Repeatable = true },
        new("init", "Let an init process reap children, though there is one app"),
        new("rm", "Remove the pod when it has ended"),
        new("stop-timeout", "Time between the stop signal and SIGKILL", "TIME") { Default = "10s" },
        new("log-max-size", "Size at which an app's log is rotated", "BYTES") { Default = "16Mi" },
        new("log-max-files", "Rotated logs that are kept", "N") { Default = "3" },
    ];

    public static readonly IReadOnlyList<Option> App =
    [
        new("exec", "The program, instead of the image's", "PATH"),
        new("user", "User by name or number, a group behind a colon", "USER[:GROUP]"),
        new("group", "Group by name or number", "GROUP"),
        new("supplementary-gids", "Further groups, by number", "GID,…"),
        new("working-dir", "The working directory", "PATH"),
        new("environment", "Set a variable", "NAME=VALUE") { Short = 'e', Repeatable = true },
        new("mount", "Mount a volume: volume=NAME,target=PATH", "MOUNT") { Repeatable = true },
        new("memory", "Memory limit", "BYTES"),
        new("cpu", "CPU limit, such as 500m or 2", "CPUS"),
        new("cpu-shares", "CPU weight", "N"),
        new("pids", "Limit of processes and threads", "N") { Default = "4096" },
        new("caps-retain", "Keep only these capabilities", "CAP,…") { Repeatable = true },
        new("caps-remove", "Remove these capabilities", "CAP,…") { Repeatable = true },
        new("seccomp", "System calls: mode=retain|remove,errno=NAME,CALL,…", "FILTER") { Once = true },
        new("oom-score-adj", "Weight at the out-of-memory killer", "N"),
        new("readonly-rootfs", "Make the root read-only"),
        new("signature", "The image's detached signature", "FILE"),
        new("restart", "Restart the app when it ends", "POLICY") { Choices = ["always", "on-failure", "never"], Default = "never" },
        new("annotation", "An annotation of the app", "NAME=VALUE") { Repeatable = true },
        new("user-annotation", "A user's annotation of the app", "NAME=VALUE") { Repeatable = true },
        new("user-label", "A user's label of the app", "NAME=VALUE") { Repeatable = true },
        new("stdin", "Standard input", "MODE") { Choices = ["null", "tty", "stream"] },
        new("stdout", "Standard output", "MODE") { Choices = ["log", "null", "tty", "stream"], Default = "log" },
        new("stderr", "Standard error", "MODE") { Choices = ["log", "null", "tty", "stream"], Default = "log" },
    ];

    /// <summary>Words that stand for all of a command's options.</summary>
    public const string GrammarText = """
        Options before the first image hold for the pod, and for every app where they are an app's. Options after an image
        hold for that image's app alone. -- begins the arguments of the app, --- ends them so that another image can follow.
        """;
}
