using Muster.Daemon;
using Muster.Linux;

// No line to a full or closed standard error may end a daemon.
Console.SetError(new StreamWriter(new DescriptorStream(2, isNeeded: false)) { AutoFlush = true });
var options = DaemonOptions.Parse(args, out var refusal);
if (options is null)
{
    Console.Error.WriteLine(refusal);
    return refusal!.StartsWith("Usage", StringComparison.Ordinal) && args.Contains("--help") ? 0 : 2;
}

return await Node.RunAsync(options);
