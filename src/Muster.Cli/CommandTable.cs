using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Host;
using Muster.Cli.Commands.Images;
using Muster.Cli.Commands.Metrics;
using Muster.Cli.Commands.Network;
using Muster.Cli.Commands.Pods;
using Muster.Cli.Commands.Trust;

namespace Muster.Cli;

/// <summary>Every verb of <c>muster</c>, by what it is about, in the order in which help lists them.</summary>
public static class CommandTable
{
    public static IReadOnlyList<CommandSection> Sections { get; } =
    [
        new("Pods",
        [
            RunCommand.Run,
            RunCommand.Prepare,
            PodStarting.RunPrepared,
            ListCommand.List,
            ListCommand.Status,
            EnterCommand.Command,
            AttachCommand.Command,
            LogsCommand.Command,
            CopyCommand.Copy,
            PortCommand.Command,
            PodStarting.Start,
            PodStarting.Restart,
            StopCommand.Pause,
            StopCommand.Resume,
            StopCommand.Stop,
            StopCommand.Kill,
            StopCommand.Remove,
            StopCommand.Collect,
            StopCommand.Release,
            CopyCommand.Export,
            PortCommand.CatManifest,
            GenerateCommand.Systemd,
            GenerateCommand.Runit,
        ]),
        new("Images",
        [
            FetchCommand.Command,
            ImageListCommand.Command,
            ImageInspectCommand.Command,
            ImageManifestCommand.Command,
            ImageBuildCommand.Command,
            ImageImportCommand.Command,
            ImageCopyCommands.Export,
            ImageCopyCommands.Copy,
            ImageCopyCommands.Push,
            ImageExtractCommands.Extract,
            ImageExtractCommands.Render,
            ImageVerifyCommand.Command,
            ImageRemoveCommand.Command,
            ImageGcCommand.Command,
        ]),
        new("Trust and registries",
        [
            TrustCommand.Command,
            TrustListCommand.Command,
            TrustRemoveCommand.Command,
            LoginCommand.Login,
            LoginCommand.Logout,
        ]),
        new("Networks",
        [
            NetworkCommands.List,
            NetworkCommands.Inspect,
            NetworkCommands.Create,
            NetworkCommands.Remove,
            NetworkCommands.Check,
            MetadataServiceCommand.Command,
        ]),
        new("Metrics",
        [
            MetricTopCommand.Command,
            MetricListCommands.List,
            MetricListCommands.Info,
            MetricReadCommands.Get,
            MetricReadCommands.Watch,
            RecordCommand.Command,
            ReplayCommand.Command,
            ReportCommand.Command,
            RuleCommand.Command,
            PmdaCommand.Command,
        ]),
        new("This node",
        [
            DoctorCommand.Command,
            ConfigCommand.Command,
            DaemonCommand.Command,
            CompletionCommand.Command,
            CompletionWords.Command,
            ManualPages.Command,
            VersionCommand.Command,
        ]),
    ];

    public static IReadOnlyList<Command> All { get; } = [.. Sections.SelectMany(s => s.Commands)];
}
