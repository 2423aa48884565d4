namespace Muster.Daemon;

/// <summary>Makes the daemon's HTTP servers, which serve what the daemon says and nothing else.</summary>
internal static class HttpServers
{
    /// <summary>
    /// A server without addresses. The framework's own would heed an appsettings.json of the folder it is started in, and
    /// variables of the environment: either could open another address, past the check of who asks.
    /// </summary>
    public static WebApplicationBuilder NewBuilder()
    {
        // Before its sources can be taken away it reads the folder and would watch all below it: of / that takes two seconds.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        return builder;
    }
}
