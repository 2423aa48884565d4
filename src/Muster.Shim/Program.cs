using Muster.Core;
using Muster.Linux;
using Muster.Shim;

// Before anything else: no child may inherit the pod's lock or a caller's descriptor.
Descriptors.CloseOnExecFrom(3);
Signals.BlockSupervised();
// What the runtime makes in an app's root is not the starter's own.
FileCalls.TakeCommonUmask();
var options = ShimOptions.Parse(args);
if (options is null)
{
    Descriptors.WriteAll(2, "muster-shim is started by muster and musterd: muster-shim POD-DIRECTORY [--ready-fd=N] [--lock-fd=N] [--foreground | --clear]\n"u8);
    return 2;
}

if (!options.Clear)
{
    // The runtime needs the lock 10 ms from now.
    CgroupLock.TouchBehind();
}

try
{
    return options.Clear ? PodClearing.Run(options) : PodSupervisor.Run(options);
}
catch (Exception e) when (e is MusterException or IOException or UnauthorizedAccessException)
{
    options.ReportFailure(e.Message);
    return 254;
}
