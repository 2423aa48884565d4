namespace Muster.Metrics.Collecting;

/// <summary>PCP's error codes (PM_ERR_*): -12345 minus a number; -1 to -12344 are errno, negated.</summary>
public static class PcpError
{
    private const int Base = -12345;

    /// <summary>EOPNOTSUPP: a feature that was not offered.</summary>
    public const int NotSupported = -95;

    public const int Generic = Base;
    public const int Text = Base - 4;
    public const int Value = Base - 6;
    public const int Name = Base - 12;
    public const int MetricId = Base - 13;
    public const int InstanceDomain = Base - 14;
    public const int Instance = Base - 15;
    public const int Sign = Base - 19;
    public const int Profile = Base - 20;
    public const int Protocol = Base - 21;
    public const int NoProfile = Base - 36;
    public const int NoAgent = Base - 41;
    public const int Permission = Base - 42;
    public const int ConnectionLimit = Base - 43;
    public const int Again = Base - 44;
    public const int NonLeaf = Base - 49;
    public const int Type = Base - 52;
    public const int NoContainer = Base - 54;
    public const int BadStore = Base - 55;
    public const int NoLabels = Base - 65;
    public const int Tls = Base - 69;
    public const int TooBig = Base - 99;
    public const int NotYetImplemented = Base - 8999;
}
