using Muster.Core;

namespace Muster.Network.Tests;

/// <summary>Another process of this program that sets pods up and down until it is killed.</summary>
internal static class Victim
{
    public static void Live(string directory)
    {
        var networks = new PodNetworks(new MusterRoot(directory), TimeProvider.System);
        for (var i = 0; ; i++)
        {
            var request = TestRoot.Request("victim", new PortMapping(null, "tcp", null, 30000 + Random.Shared.Next(2000), 80));
            networks.SetUpAsync(request, default).GetAwaiter().GetResult();
            Console.Out.WriteLine(request.Pod);
            Console.Out.Flush();
            if (i % 2 == 1)
            {
                networks.TearDownAsync(request.Pod, default).GetAwaiter().GetResult();
            }
        }
    }
}
