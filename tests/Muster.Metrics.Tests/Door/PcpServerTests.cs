using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Core;
using Muster.Metrics.Collecting;
using Muster.Metrics.Door;
using Muster.Metrics.Wire;

namespace Muster.Metrics.Tests.Door;

/// <summary>The server on real sockets: many clients, slow ones, hostile ones, and those who prove who they are.</summary>
public sealed class PcpServerTests
{
    private const string FetchLoad = "00000000 0000000000000000 00000001 0f000800";

    [Fact]
    public void Greets_with_its_features()
    {
        using var door = new TestDoor();
        using var socket = door.Connect();
        Convert.ToHexStringLower(socket.Receive()!).Should().Be("0000001400007000000000000000000002010e40");
    }

    [Theory]
    [InlineData("00000008 00007004")] // shorter than its header
    [InlineData("00010001 00007004 00000000")] // longer than a client's unit may be
    [InlineData("ffffffff 00007004 00000000")]
    [InlineData("00000010 00007004 00000000 0f000800")] // before the credentials
    public void Hangs_up_on_what_is_no_unit_and_serves_the_next(string bytes)
    {
        using var door = new TestDoor();
        using var socket = door.Connect();
        socket.Receive();
        socket.Send(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)));
        socket.Receive().Should().BeNull();
        door.Remote("pminfo", "-f", "kernel.all.load").Succeeded();
    }

    [Fact]
    public void Takes_a_unit_that_comes_byte_by_byte_and_several_that_come_at_once()
    {
        using var door = new TestDoor();
        using var socket = door.Connect();
        socket.NoDelay = true;
        socket.Receive();
        foreach (var one in Units.PlainCredentials)
        {
            socket.Send([one]);
        }

        var ask = Units.Make(PduType.DescriptorRequest, "0f000800");
        socket.Send([.. ask, .. ask, .. ask]);
        for (var i = 0; i < 3; i++)
        {
            Units.TypeOf(socket.Receive()).Should().Be(PduType.Descriptor);
        }

        // The largest unit that is taken.
        var large = Units.Make(PduType.DescriptorIds, "ffffffff 00003ff9" + string.Concat(Enumerable.Repeat("0f000800", 16377)));
        large.Length.Should().Be(65_528);
        socket.Send(large);
        socket.Receive()!.Length.Should().Be(16 + (16377 * 20));
        socket.Send(ask);
        Units.TypeOf(socket.Receive()).Should().Be(PduType.Descriptor);
    }

    [Fact]
    public void Hangs_up_on_a_client_that_does_not_say_who_it_is()
    {
        using var door = new TestDoor(o => o with { Patience = TimeSpan.FromMilliseconds(200) });
        using var socket = door.Connect();
        socket.Receive().Should().NotBeNull();
        socket.Receive().Should().BeNull();
    }

    [Fact]
    public void Keeps_a_client_that_has_nothing_to_ask()
    {
        using var door = new TestDoor(o => o with { Patience = TimeSpan.FromMilliseconds(300) });
        using var socket = door.Connect();
        socket.Receive();
        socket.Send(Units.PlainCredentials);
        using var second = door.Connect();
        second.Receive();
        second.Receive().Should().BeNull("its patience is over, and so would be the first one's");
        socket.Send(Units.Make(PduType.DescriptorRequest, "0f000800"));
        Units.TypeOf(socket.Receive()).Should().Be(PduType.Descriptor);
    }

    [Fact]
    public void Refuses_more_connections_than_it_takes_and_keeps_the_socket_open_for_the_local_ones()
    {
        using var door = new TestDoor(o => o with { MaxConnections = 2 });
        using var first = Known(door);
        using var second = Known(door);
        using (var third = door.Connect())
        {
            BinaryPrimitives.ReadInt32BigEndian(third.Receive().AsSpan(12)).Should().Be(PcpError.ConnectionLimit + 11345, "the greeting speaks the codes of old");
            third.Receive().Should().BeNull();
        }

        door.Remote("pminfo", "kernel.all.load").Status.Should().NotBe(0);
        door.Local("pminfo", "-f", "kernel.all.load").Succeeded();
    }

    [Fact]
    public void Does_not_let_one_user_keep_the_others_out()
    {
        var limits = new ConnectionLimits(new DoorOptions { MaxConnections = 10, MaxConnectionsOfUser = 2 });
        limits.TryEnter(true, 1000).Should().BeTrue();
        limits.TryEnter(true, 1000).Should().BeTrue();
        limits.TryEnter(true, 1000).Should().BeFalse();
        limits.TryEnter(true, 1001).Should().BeTrue();
        for (var i = 0; i < 7; i++)
        {
            limits.TryEnter(true, 0).Should().BeTrue();
        }

        limits.TryEnter(true, 0).Should().BeFalse("the socket is full");
        limits.TryEnter(false, null).Should().BeTrue();
        limits.Leave(true, 1000);
        limits.TryEnter(true, 1000).Should().BeTrue();
    }

    [Fact]
    public void Does_not_let_one_address_keep_the_others_out()
    {
        using var door = new TestDoor(o => o with { MaxConnectionsOfAddress = 1 });
        using var first = Known(door);
        using (var second = door.Connect())
        {
            BinaryPrimitives.ReadInt32BigEndian(second.Receive().AsSpan(12)).Should().Be(PcpError.ConnectionLimit + 11345);
        }

        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        other.Connect(door.Tcp);
        BinaryPrimitives.ReadInt32BigEndian(other.Receive().AsSpan(12)).Should().Be(0);
    }

    [Fact]
    public void Does_not_let_a_slow_client_or_a_slow_agent_delay_another()
    {
        using var held = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var slow = new SlowAgent(() =>
        {
            entered.Set();
            held.Wait(TimeSpan.FromSeconds(30));
        });
        using var door = new TestDoor(null, slow);
        using var waiting = Known(door);
        waiting.Send([.. Units.Make(PduType.Profile, "00000000 00000000 00000000 00000000"), .. Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00000001 13c00400")]);
        entered.Wait(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken).Should().BeTrue();

        // Another that never reads its large answers.
        using var deaf = Known(door);
        deaf.Send(Units.Make(PduType.Profile, "00000000 00000000 00000000 00000000"));
        var many = Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00003000" + string.Concat(Enumerable.Repeat("0f000800", 0x3000)));
        for (var i = 0; i < 8; i++)
        {
            deaf.SendTimeout = 200;
            try
            {
                deaf.Send(many);
            }
            catch (SocketException)
            {
                break;
            }
        }

        door.Remote("pminfo", "-f", "kernel.all.load").Succeeded();
        held.Set();
        Units.TypeOf(waiting.Receive()).Should().Be(PduType.HighResolutionResult);
    }

    [Fact]
    public void Tells_a_client_to_ask_again_when_too_much_waits_to_be_sent()
    {
        using var door = new TestDoor(o => o with { MaxPending = 100_000 });
        using var socket = Known(door);
        socket.Send(Units.Make(PduType.Profile, "00000000 00000000 00000000 00000000"));
        socket.Send(Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00003000" + string.Concat(Enumerable.Repeat("0f000800", 0x3000))));
        Units.Error(socket.Receive()).Should().Be(PcpError.Again);
        socket.Send(Units.Make(PduType.HighResolutionFetch, FetchLoad));
        Units.TypeOf(socket.Receive()).Should().Be(PduType.HighResolutionResult);
    }

    [Fact]
    public void Knows_the_peer_of_the_socket_and_believes_nobody_on_TCP()
    {
        using var door = new TestDoor();
        door.Local("pminfo", "-f", "sample.private").Succeeded().Out.Should().Contain("value 0");
        door.Remote("pminfo", "-f", "sample.private").Out.Should().Contain("No permission");
        var other = Muster.TestKit.ProgramRun.Of("/usr/bin/setpriv", ["--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/pminfo", "-h", $"unix://{door.SocketPath}", "-f", "sample.private"]);
        other.Out.Should().Contain("value 12345");
    }

    [Fact]
    public void Lets_a_hundred_clients_ask_at_once()
    {
        using var door = new TestDoor();
        Parallel.For(0, 100, _ =>
        {
            using var socket = Known(door);
            socket.Send(Units.Make(PduType.Profile, "00000000 00000000 00000000 00000000"));
            for (var i = 0; i < 20; i++)
            {
                socket.Send(Units.Make(PduType.HighResolutionFetch, FetchLoad));
                ReceivedResult.Read(socket.Receive(), true)!.Sets[0].Values.Should().HaveCount(3);
            }
        });
        door.Log.Should().BeEmpty();
    }

    [Fact]
    public void Forgets_a_client_that_has_gone()
    {
        using var door = new TestDoor();
        var socket = Known(door);
        TestKit.TestRoot.Until(() => door.Door.Clients.Count == 1, "the client is known");
        socket.Dispose();
        TestKit.TestRoot.Until(() => door.Door.Clients.Count == 0, "the client is forgotten");
    }

    [Fact]
    public void Speaks_TLS_when_it_has_a_certificate_and_knows_a_pinned_client()
    {
        using var server = Certificate("CN=localhost");
        using var client = Certificate("CN=client");
        using var stranger = Certificate("CN=stranger");
        using var door = new TestDoor(o => o with { Certificate = server, TrustedClients = new HashSet<string> { client.GetCertHashString(HashAlgorithmName.SHA256) } });
        Private(door, client).Should().Be(0, "the values are root's");
        Private(door, stranger).Should().Be(PcpError.Permission);
        Private(door, null).Should().Be(PcpError.Permission);
        door.Remote("pminfo", "-f", "kernel.all.load").Succeeded();
    }

    [Fact]
    public void Is_trusted_by_the_real_pminfo_and_knows_its_certificate()
    {
        using var server = Certificate("CN=localhost");
        using var client = Certificate("CN=client");
        using var door = new TestDoor(o => o with { Certificate = server, TrustedClients = new HashSet<string> { client.GetCertHashString(HashAlgorithmName.SHA256) } });
        File.WriteAllText(Path.Combine(door.Folder, "ca.pem"), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(door.Folder, "client.pem"), client.ExportCertificatePem());
        File.WriteAllText(Path.Combine(door.Folder, "client.key"), client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string Private(string configuration)
        {
            File.WriteAllText(Path.Combine(door.Folder, "tls.conf"), $"tls-ca-cert-file = {door.Folder}/ca.pem\n" + configuration);
            return door.Tool("pminfo", ["-h", "pcps://localhost", "-f", "sample.private", "kernel.uname.nodename"], new Dictionary<string, string> { ["PCP_TLSCONF_PATH"] = Path.Combine(door.Folder, "tls.conf") }).Succeeded().Out;
        }

        Private("").Should().Contain("value \"vm\"").And.Contain("No permission");
        Private($"tls-cert-file = {door.Folder}/client.pem\ntls-key-file = {door.Folder}/client.key\n").Should().Contain("value \"vm\"").And.Contain("value 0");
    }

    [Fact]
    public void Shows_the_authorities_between_its_certificate_and_the_one_that_clients_know()
    {
        using var root = Authority("CN=root", null);
        using var between = Authority("CN=between", root);
        using var server = Issued("CN=localhost", between, isAuthority: false);
        using var door = new TestDoor(o => o with { Certificate = server, Intermediates = [between] });
        using var socket = door.Connect();
        socket.Receive();
        socket.Send(Units.Make(PduType.Credentials, "00000001 01020011"));
        Units.Error(socket.Receive()).Should().Be(0);
        using var tls = new SslStream(new NetworkStream(socket));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true, CustomTrustStore = { root } };
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
        tls.IsAuthenticated.Should().BeTrue();
    }

    [Fact]
    public void Says_why_TLS_failed()
    {
        using var server = Certificate("CN=localhost");
        using var door = new TestDoor(o => o with { Certificate = server });
        using (var socket = door.Connect())
        {
            socket.Receive();
            socket.Send(Units.Make(PduType.Credentials, "00000001 01020011"));
            Units.Error(socket.Receive()).Should().Be(0);
            socket.Send([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
            socket.Receive();
        }

        TestKit.TestRoot.Until(() => door.Log.Count > 0, "the failure is told");
        door.Log.Should().ContainSingle().Which.Should().StartWith("TLS with 127.0.0.1 failed: ").And.NotContain("inner exception");
    }

    [Fact]
    public void Hangs_up_on_plain_bytes_behind_the_wish_for_TLS()
    {
        using var server = Certificate("CN=localhost");
        using var door = new TestDoor(o => o with { Certificate = server });
        using var socket = door.Connect();
        socket.Receive();
        socket.Send([.. Units.Make(PduType.Credentials, "00000001 01020011"), .. Units.Make(PduType.DescriptorRequest, "0f000800")]);
        Units.Error(socket.Receive()).Should().Be(0);
        socket.Receive().Should().BeNull();
    }

    [Fact]
    public void Warns_of_a_busy_default_address_and_refuses_one_that_was_asked_for()
    {
        using var first = new TestDoor();
        using var folder = new Folder();
        var state = new DoorState([], TimeProvider.System, _ => { });
        using (var second = new PcpServer(state, new DoorOptions { SocketFolder = folder.Path, Tcp = first.Tcp, IsTcpOptional = true }))
        {
            second.Warning.Should().Contain(first.Tcp.ToString()).And.Contain("--listen-pcp");
            second.TcpAddress.Should().BeNull();
        }

        FluentActions.Invoking(() => new PcpServer(state, new DoorOptions { Tcp = first.Tcp })).Should().Throw<MusterException>().Where(e => e.Kind == ErrorKind.Conflict);
        FluentActions.Invoking(() => new PcpServer(state, new DoorOptions { SocketFolder = first.Folder })).Should().Throw<MusterException>().WithMessage("Another server answers*");
    }

    private static int Private(TestDoor door, X509Certificate2? client)
    {
        using var socket = door.Connect();
        Convert.ToHexStringLower(socket.Receive()!).Should().EndWith("02010e51");
        socket.Send(Units.Make(PduType.Credentials, "00000001 01020011"));
        Units.Error(socket.Receive()).Should().Be(0);
        using var tls = new SslStream(new NetworkStream(socket), false, (_, certificate, _, _) => certificate is not null);
        tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "localhost", ClientCertificates = client is null ? [] : [client] });
        tls.Write([.. Units.Make(PduType.Profile, "00000000 00000000 00000000 00000000"), .. Units.Make(PduType.HighResolutionFetch, "00000000 0000000000000000 00000001 0f01900a")]);
        var head = new byte[4];
        tls.ReadExactly(head);
        var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - 4];
        tls.ReadExactly(rest);
        var set = ReceivedResult.Read([.. head, .. rest], true)!.Sets[0];
        return set.Error != 0 ? set.Error : (int)set.Values[0].Value.Unsigned;
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? by) => Issued(name, by, isAuthority: true);

    private static X509Certificate2 Issued(string name, X509Certificate2? by, bool isAuthority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        if (by is null)
        {
            return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        }

        using var made = request.Create(by, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        return made.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private static Socket Known(TestDoor door)
    {
        var socket = door.Connect();
        socket.Receive();
        socket.Send(Units.PlainCredentials);
        return socket;
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("muster-door-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
