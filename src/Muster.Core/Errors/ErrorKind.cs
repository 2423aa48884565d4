namespace Muster.Core;

/// <summary>The closed list of the ways in which a request to Muster can be refused or fail.</summary>
public enum ErrorKind
{
    /// <summary>The words of the call are wrong: a flag, a count of arguments, a value's form. The command line exits with 2.</summary>
    Usage,

    /// <summary>What was given to work on is wrong: a name, a manifest, an archive's content.</summary>
    Invalid,

    /// <summary>The thing named does not exist.</summary>
    NotFound,

    /// <summary>The thing exists already, or two things claim one name, address or port.</summary>
    Conflict,

    /// <summary>Another verb holds the thing just now.</summary>
    Busy,

    /// <summary>Trust, policy or permission forbids it.</summary>
    Forbidden,

    /// <summary>This host, kernel or build cannot do it.</summary>
    Unsupported,

    /// <summary>Stored or received data is damaged or not what its digest says.</summary>
    Corrupt,

    /// <summary>A limit was reached: disk, entries, sizes, addresses.</summary>
    Exhausted,

    /// <summary>A peer (registry, web server, plugin, runtime) failed or answered nonsense.</summary>
    Upstream,

    /// <summary>Something did not happen in its time.</summary>
    Timeout,

    /// <summary>A fault of Muster's own.</summary>
    Internal,
}
