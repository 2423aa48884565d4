using Muster.Core;
using Muster.Images;

namespace Muster.Containers.Accounts;

/// <summary>The numbers that an app runs with.</summary>
public sealed record Identity(uint Uid, uint Gid, IReadOnlyList<uint> SupplementaryGids, string? Home);

/// <summary>
/// Turns an image's user and group words into numbers with the image's own /etc/passwd and /etc/group. App Container: a
/// name, a number, or the path of a file whose owner is meant (appc spec/aci.md, app.user). OCI: <c>user</c>,
/// <c>user:group</c>; without a group the user's own and its supplementary groups (image-spec config.md, User).
/// </summary>
public static class AccountLookup
{
    /// <summary>More than any sane passwd file, little enough to read at every start.</summary>
    private const int MaxFile = 4 * 1024 * 1024;

    public static Identity Resolve(LayeredRoot root, ImageKind kind, string user, string? group, IReadOnlyList<uint> supplementary)
    {
        var passwd = Entries(root.ReadText("/etc/passwd", MaxFile), 7);
        var account = passwd.Find(f => f[0] == user) ?? passwd.Find(f => f[2] == user);
        uint uid;
        if (account is not null && passwd.Exists(f => f[0] == user))
        {
            uid = Number(account[2], "uid", user);
        }
        else if (uint.TryParse(user, out var number))
        {
            uid = number;
        }
        else if (kind == ImageKind.Aci && user.StartsWith('/'))
        {
            uid = root.OwnerOf(user)?.Uid ?? throw Missing("user", user, "there is no such file in the image");
        }
        else
        {
            throw Missing("user", user, "the image's /etc/passwd has no such name");
        }

        var groups = group is null && account is null ? [] : Entries(root.ReadText("/etc/group", MaxFile), 4);
        uint gid;
        if (group is null)
        {
            gid = account is null ? 0 : Number(account[3], "gid", user);
        }
        else if (groups.Find(f => f[0] == group) is { } named)
        {
            gid = Number(named[2], "gid", group);
        }
        else if (uint.TryParse(group, out var number))
        {
            gid = number;
        }
        else if (kind == ImageKind.Aci && group.StartsWith('/'))
        {
            gid = root.OwnerOf(group)?.Gid ?? throw Missing("group", group, "there is no such file in the image");
        }
        else
        {
            throw Missing("group", group, "the image's /etc/group has no such name");
        }

        var more = supplementary;
        if (kind == ImageKind.Oci && group is null && account is not null && supplementary.Count == 0)
        {
            more = [.. groups.Where(f => f[3].Split(',').Contains(account[0], StringComparer.Ordinal)).Select(f => Number(f[2], "gid", f[0])).Where(g => g != gid).Distinct()];
        }

        return new Identity(uid, gid, more, account?[5]);
    }

    private static List<string[]> Entries(string? text, int fields) =>
        text is null ? [] : [.. text.Split('\n').Select(line => line.TrimEnd('\r').Split(':')).Where(f => f.Length >= fields)];

    private static uint Number(string text, string what, string of) => uint.TryParse(text, out var number)
        ? number
        : throw new MusterException(ErrorKind.Invalid, $"The {what} of \"{of}\" in the image is \"{text}\", not a number");

    private static MusterException Missing(string what, string name, string why) =>
        new(ErrorKind.Invalid, $"The {what} \"{name}\" cannot be resolved: {why}; give a number with --{what}");
}
