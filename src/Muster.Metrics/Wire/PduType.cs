namespace Muster.Metrics.Wire;

/// <summary>What a protocol data unit of PCP is; the numbers are those on the wire.</summary>
public enum PduType
{
    Error = 0x7000,
    Result = 0x7001,
    Profile = 0x7002,
    Fetch = 0x7003,
    DescriptorRequest = 0x7004,
    Descriptor = 0x7005,
    InstanceRequest = 0x7006,
    Instance = 0x7007,
    TextRequest = 0x7008,
    Text = 0x7009,
    ControlRequest = 0x700a,
    Credentials = 0x700c,
    Ids = 0x700d,
    Names = 0x700e,
    Children = 0x700f,
    Traverse = 0x7010,
    Attribute = 0x7011,
    LabelRequest = 0x7012,
    Label = 0x7013,
    HighResolutionFetch = 0x7014,
    HighResolutionResult = 0x7015,
    DescriptorIds = 0x7016,
    Descriptors = 0x7017,
}

/// <summary>Bits of the greeting and of the client's credentials.</summary>
[Flags]
public enum PduFeatures
{
    None = 0,
    Secure = 1 << 0,
    Authentication = 1 << 2,
    CredentialsRequired = 1 << 3,
    SecureAcknowledgement = 1 << 4,
    Container = 1 << 6,
    CertificateRequired = 1 << 7,
    BadLabel = 1 << 8,
    Labels = 1 << 9,
    HighResolution = 1 << 10,
    Descriptors = 1 << 11,
}

/// <summary>What an ATTR carries.</summary>
public static class PduAttribute
{
    public const int Sasl = 0;
    public const int UserId = 11;
    public const int GroupId = 12;
    public const int ProcessId = 14;
    public const int Container = 15;
}

/// <summary>The bounds of the wire.</summary>
public static class PduLimits
{
    /// <summary>Length, type and sender, four bytes each.</summary>
    public const int Header = 12;

    /// <summary>The largest unit taken from a client: pmcd's own ceiling.</summary>
    public const int MaxFromClient = 65_536;

    /// <summary>The largest value of one instance: its length has 24 bits, with four bytes of its own header.</summary>
    public const int MaxValue = 0xffffff - 4;

    /// <summary>The longest attribute, as libpcp's PDU_MAXATTR.</summary>
    public const int MaxAttribute = 4095;

    /// <summary>
    /// The largest answer: all per-process and per-cgroup values of a host with 5,000 groups are about 30 MB, and one fetch
    /// that names one metric sixteen thousand times must not cost more.
    /// </summary>
    public const int MaxAnswer = 64 * 1024 * 1024;
}
