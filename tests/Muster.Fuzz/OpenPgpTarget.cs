using Muster.Core;
using Muster.Images.Trust;
using Muster.Images.Trust.OpenPgp;

namespace Muster.Fuzz;

/// <summary>OpenPGP keys, detached signatures and signed messages, armoured or binary, from any bytes.</summary>
public static class OpenPgpTarget
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Run(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        OpenPgpCertificate? key = null;
        Refusing(() => key = OpenPgpCertificate.Parse(bytes));
        Refusing(() => key?.Evaluate(Now));
        Refusing(() => OpenPgpCertificate.FingerprintsIn(bytes));
        Refusing(() => OpenPgpCertificate.MentionsRevocation(bytes));
        Refusing(() => PublicKeyFile.Parse(bytes, "fuzz"));
        Refusing(() =>
        {
            using var check = OpenPgpSignatureCheck.Begin(bytes);
            check.Append("content"u8);
            check.Finish(key is null ? [] : [key], Now);
        });
        Refusing(() => OpenPgpMessage.Parse(bytes).Verify(key is null ? [] : [key], Now));
    }

    private static void Refusing(Action action)
    {
        try
        {
            action();
        }
        catch (MusterException)
        {
        }
    }
}
