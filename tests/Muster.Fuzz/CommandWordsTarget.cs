using System.Text;
using Muster.Cli.Commands.Pods;
using Muster.Core;

namespace Muster.Fuzz;

/// <summary>Any words, a line each, behind <c>muster run</c>, and each of them as a port, volume, network or filter.</summary>
public static class CommandWordsTarget
{
    public static IReadOnlyList<byte[]> Seeds { get; } =
    [
        "--name=pod\n-dp\n8080:80\na\n--memory=1G\n--\nsh\n-c\n---\nb\n-e\nA=1"u8.ToArray(),
        "data,kind=host,source=/srv,readOnly=true\ncache,kind=empty,mode=0700,uid=5,gid=6"u8.ToArray(),
        "volume=data,target=/srv"u8.ToArray(),
        "blue:IP=10.1.2.3;MASK=24\ndefault,red"u8.ToArray(),
        "http:[::1]:8080\n127.0.0.1:80:8080/udp\n65535:65535/tcp"u8.ToArray(),
        "mode=retain,errno=EPERM,@appc.io/all,execve"u8.ToArray(),
    ];

    public static void Run(ReadOnlySpan<byte> data)
    {
        var words = Encoding.UTF8.GetString(data).Split('\n');
        Refusing(() => new ImageGrammar(RunCommand.Run).Parse(words));
        foreach (var word in words)
        {
            Refusing(() => Port(PortWords.Named(word)));
            Refusing(() => PortWords.Numbered(word).ToList().ForEach(Port));
            Refusing(() => VolumeWords.Volume(word));
            Refusing(() => VolumeWords.Mount(word));
            Refusing(() => NetworkWords.Parse([word]));
            Refusing(() => SeccompWords.Parse(word));
        }
    }

    private static void Port(Containers.Pods.PortRequest port)
    {
        if (port.HostPort is < 1 or > 65535 || port.PodPort is < 1 or > 65535)
        {
            throw new InvalidOperationException($"{port} was taken");
        }
    }

    private static void Refusing(Action action)
    {
        try
        {
            action();
        }
        catch (MusterException e) when (e.Kind == ErrorKind.Usage)
        {
            // Refused, as it should be.
        }
    }
}
