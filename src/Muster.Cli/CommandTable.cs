using Muster.Cli.CommandLine;
using Muster.Cli.Commands.Host;
using Muster.Cli.Commands.Images;

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
        ImageManifestCommand.Command,
        ImageRemoveCommand.Command,
        ImageVerifyCommand.Command,
        VersionCommand.Command,
    ];
}
