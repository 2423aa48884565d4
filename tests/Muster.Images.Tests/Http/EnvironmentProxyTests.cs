using Muster.Core;
using Muster.Images.Http;

namespace Muster.Images.Tests.Http;

/// <summary>The proxy variables in every form that other tools take.</summary>
public sealed class EnvironmentProxyTests
{
    [Theory]
    [InlineData("", "images.example.com", false)]
    [InlineData("example.com", "images.example.com", true)]
    [InlineData(".example.com", "images.example.com", true)]
    [InlineData("*.example.com", "images.example.com", true)]
    [InlineData("EXAMPLE.com.", "images.example.COM", true)]
    [InlineData("images.example.com", "images.example.com", true)]
    [InlineData("example.com", "notexample.com", false)]
    [InlineData("ages.example.com", "images.example.com", false)]
    [InlineData("*", "images.example.com", true)]
    [InlineData("other, images.example.com", "images.example.com", true)]
    [InlineData("other\timages.example.com", "images.example.com", true)]
    [InlineData("images.example.com:443", "images.example.com", true)]
    [InlineData("images.example.com:5000", "images.example.com", false)]
    [InlineData("10.0.0.0/8", "10.1.2.3", true)]
    [InlineData("10.9.9.9/8", "10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "11.1.2.3", false)]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3:5000", "10.1.2.3", false)]
    [InlineData("fd00::/8", "[fd00::1]", true)]
    [InlineData("[fd00::1]:443", "[fd00::1]", true)]
    [InlineData("fd00::1", "[fd00::1]", true)]
    [InlineData("/8,10.0.0.0/x,:,.,*.,[", "10.1.2.3", false)]
    [InlineData("", "localhost", true)]
    [InlineData("", "127.3.2.1", true)]
    [InlineData("", "[::1]", true)]
    public void Reaches_without_a_proxy_what_no_proxy_names(string none, string host, bool bypassed)
    {
        var proxy = Read(("https_proxy", "http://proxy:3128"), ("NO_PROXY", none));
        proxy.IsBypassed(new Uri($"https://{host}/v2/")).Should().Be(bypassed);
        proxy.GetProxy(new Uri($"https://{host}/v2/"))?.ToString().Should().Be(bypassed ? null : "http://proxy:3128/");
    }

    [Fact]
    public void Takes_the_proxy_of_the_scheme_and_that_for_all_otherwise()
    {
        var proxy = Read(("HTTPS_PROXY", "https-proxy:1"), ("all_proxy", "socks5h://all:2"));
        proxy.GetProxy(new Uri("https://a.example/"))!.ToString().Should().Be("http://https-proxy:1/");
        proxy.GetProxy(new Uri("http://a.example/"))!.ToString().Should().Be("socks5://all:2/");
        Read(("HTTP_PROXY", "x:1"), ("GATEWAY_INTERFACE", "CGI/1.1")).GetProxy(new Uri("http://a.example/")).Should().BeNull("a client's header is no setting");
        Read().GetProxy(new Uri("http://a.example/")).Should().BeNull();
    }

    [Fact]
    public void Logs_in_at_the_proxy_that_has_a_user_and_at_no_other()
    {
        var proxy = Read(("https_proxy", "http://us%40er:p%3aw@proxy:3128"));
        var login = proxy.GetCredential(new Uri("http://proxy:3128"), "Basic");
        (login!.UserName, login.Password).Should().Be(("us@er", "p:w"));
        proxy.GetCredential(new Uri("http://other:3128"), "Basic").Should().BeNull();
    }

    [Theory]
    [InlineData("nonsense://proxy:1")]
    [InlineData("http://")]
    [InlineData("http://a b:1")]
    public void Refuses_what_is_no_proxy_instead_of_going_without(string value) =>
        ((Action)(() => Read(("https_proxy", value)))).Should().Throw<MusterException>().WithMessage("*https_proxy*does not name a proxy*");

    private static EnvironmentProxy Read(params (string Name, string Value)[] variables) =>
        EnvironmentProxy.Read(name => variables.FirstOrDefault(v => v.Name == name).Value);
}
