namespace Muster.Cli.CommandLine;

/// <summary>The options that every command takes.</summary>
public static class GlobalOptions
{
    public static readonly Option Help = new("help", "Show this help and leave") { Short = 'h' };

    public static readonly Option Root = new("root", "Keep everything below DIR (DIR/etc, DIR/run, DIR/var) instead of the system's places", "DIR") { Default = "$MUSTER_ROOT" };

    public static readonly Option Debug = new("debug", "Show stack traces and what is done step by step");

    public static readonly Option Quiet = new("quiet", "Print only what was asked for: ids, no progress, no warnings") { Short = 'q' };

    public static readonly Option Format = new("format", "How results are written", "FORMAT") { Choices = ["table", "json"], Default = "table" };

    public static readonly Option Filter = new("filter", "Show only rows whose column has the value (* matches any text)", "COLUMN=VALUE") { Repeatable = true };

    public static readonly IReadOnlyList<Option> All = [Help, Root, Debug, Quiet, Format, Filter];
}
