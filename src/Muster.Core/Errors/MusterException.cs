namespace Muster.Core;

/// <summary>
/// An expected failure. <see cref="Exception.Message"/> is one sentence that says what failed, why, and what to do;
/// one mapper per protocol turns <see cref="Kind"/> into an exit code or a status.
/// </summary>
public sealed class MusterException : Exception
{
    /// <summary>Makes a failure of <paramref name="kind"/> with a sentence for the user.</summary>
    public MusterException(ErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>Which of the closed list of failures this is.</summary>
    public ErrorKind Kind { get; }

    /// <summary>
    /// What the command line ends with instead of what <see cref="Kind"/> stands for: the status of an app that could not be started, 126
    /// and 127 as a shell gives them.
    /// </summary>
    public int? ExitStatus { get; init; }
}
