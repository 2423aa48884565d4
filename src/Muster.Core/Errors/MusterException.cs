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
}
