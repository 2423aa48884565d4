using System.Runtime.InteropServices;
using Muster.Cli;
using Muster.Cli.CommandLine;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
using var terminal = new Terminal();
return await new Dispatcher(CommandTable.Sections, terminal).RunAsync(args, stop.Token);

void Cancel(PosixSignalContext signal)
{
    signal.Cancel = true;
    Dispatcher.InterruptedStatus = signal.Signal == PosixSignal.SIGTERM ? 143 : 130;
    stop.Cancel();
}
