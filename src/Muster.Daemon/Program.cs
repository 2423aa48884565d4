using Muster.Daemon;

var options = DaemonOptions.Parse(args, out var refusal);
if (options is null)
{
    Console.Error.WriteLine(refusal);
    return refusal!.StartsWith("Usage", StringComparison.Ordinal) && args.Contains("--help") ? 0 : 2;
}

return await Node.RunAsync(options);
