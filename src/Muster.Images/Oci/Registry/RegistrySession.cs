using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Oci.Registry;

/// <summary>What all registries of one command share: connections, logins, mirrors.</summary>
public sealed class RegistrySession : IDisposable
{
    private readonly Dictionary<string, RegistryConnection> _connections = new(StringComparer.Ordinal);
    private readonly bool _ownsWeb;

    /// <summary>A session with the files of <paramref name="root"/>; contacts nobody yet.</summary>
    public RegistrySession(MusterRoot root, WebOptions options, TimeProvider time, string? authFile = null)
        : this(root, new HttpFetcher(root, options, time), authFile) => _ownsWeb = true;

    internal RegistrySession(MusterRoot root, HttpFetcher web, string? authFile = null)
    {
        Root = root;
        Web = web;
        Logins = new AuthFiles(root, authFile);
        Registries = RegistriesConfiguration.Load(root);
    }

    public MusterRoot Root { get; }

    public HttpFetcher Web { get; }

    public AuthFiles Logins { get; }

    public RegistriesConfiguration Registries { get; }

    /// <summary>The connection for an image's repository: logins may differ between repositories of one host.</summary>
    internal RegistryConnection Connect(RegistryReference reference)
    {
        lock (_connections)
        {
            if (!_connections.TryGetValue(reference.Name, out var connection))
            {
                _connections[reference.Name] = connection = new RegistryConnection(Web, reference.Host, () => Logins.Find(reference.Name));
            }

            return connection;
        }
    }

    /// <summary>Whether a login is right for <c>host[:port]</c>, by asking it; refuses with the registry's reason.</summary>
    public async Task CheckAsync(string host, RegistryLogin login, CancellationToken ct)
    {
        using var connection = new RegistryConnection(Web, host, () => login);
        await connection.CheckLoginAsync(ct);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }

        if (_ownsWeb)
        {
            Web.Dispose();
        }
    }
}
