using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Host;
using Muster.Cli.Commands.Images;
using Muster.Cli.Commands.Metrics;
using Muster.Cli.Commands.Network;
using Muster.Cli.Commands.Pods;
using Muster.Cli.Commands.Trust;

namespace Muster.Cli;

/// <summary>Every verb of <c>muster</c>, in the order in which help lists them.</summary>
public static class CommandTable
{
    public static IReadOnlyList<Command> All { get; } =
    [
        FetchCommand.Command,
        ImageBuildCommand.Command,
        ImageCopyCommands.Copy,
        ImageCopyCommands.Export,
        ImageCopyCommands.Push,
        ImageExtractCommands.Extract,
        ImageExtractCommands.Render,
        ImageGcCommand.Command,
        ImageImportCommand.Command,
        ImageInspectCommand.Command,
        ImageListCommand.Command,
        RunCommand.Run,
        RunCommand.Prepare,
        PodStarting.RunPrepared,
        ListCommand.List,
        ListCommand.Status,
        PodStarting.Start,
        PodStarting.Restart,
        StopCommand.Pause,
        StopCommand.Resume,
        EnterCommand.Command,
        AttachCommand.Command,
        LogsCommand.Command,
        PortCommand.Command,
        PortCommand.CatManifest,
        CopyCommand.Copy,
        CopyCommand.Export,
        StopCommand.Stop,
        StopCommand.Kill,
        StopCommand.Remove,
        StopCommand.Collect,
        StopCommand.Release,
        GenerateCommand.Systemd,
        GenerateCommand.Runit,
        DaemonCommand.Command,
        ConfigCommand.Command,
        DoctorCommand.Command,
        CompletionCommand.Command,
        ManualPages.Command,
        ImageManifestCommand.Command,
        ImageRemoveCommand.Command,
        ImageVerifyCommand.Command,
        TrustCommand.Command,
        TrustListCommand.Command,
        TrustRemoveCommand.Command,
        LoginCommand.Login,
        LoginCommand.Logout,
        NetworkCommands.List,
        NetworkCommands.Inspect,
        NetworkCommands.Create,
        NetworkCommands.Remove,
        NetworkCommands.Check,
        MetadataServiceCommand.Command,
        MetricListCommands.List,
        MetricListCommands.Info,
        MetricReadCommands.Get,
        MetricReadCommands.Watch,
        MetricTopCommand.Command,
        RecordCommand.Command,
        ReplayCommand.Command,
        ReportCommand.Command,
        RuleCommand.Command,
        PmdaCommand.Command,
        VersionCommand.Command,
    ];
}
