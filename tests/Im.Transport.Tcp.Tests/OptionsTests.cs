using System.Net;
using System.Net.Security;
using Im.Connections;
using Im.Transport.Tcp.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Transport.Tcp.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Defaults()
    {
        var options = new TcpTransportOptions();
        Assert.Equal(9000, options.Port);
        Assert.Empty(options.Endpoints);
        Assert.Equal(512, options.Backlog);
        Assert.True(options.NoDelay);
        Assert.Equal(128 * 1024, options.SendBufferBytes);
        Assert.Equal(64 * 1024, options.MaxWriteBytes);
        Assert.Equal(TimeSpan.FromSeconds(5), options.CloseTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), options.TlsHandshakeTimeout);

        var endpoint = new TcpEndpointOptions();
        Assert.Equal(IPAddress.IPv6Any, endpoint.Address);
        Assert.Equal(9000, endpoint.Port);
        Assert.Null(endpoint.Certificate);
        Assert.Null(endpoint.Tls);
    }

    [Fact]
    public void ThePortIsAnEndpointWhenItIsSetOrTheOnlyOne()
    {
        Assert.Equal([9000], Ports(new()));
        Assert.Equal([0], Ports(new() { Port = 0 }));
        Assert.Equal([1], Ports(new() { Endpoints = { new() { Port = 1 } } }));
        Assert.Equal([9000, 1], Ports(new() { Port = 9000, Endpoints = { new() { Port = 1 } } }));

        static IEnumerable<int> Ports(TcpTransportOptions options) => options.EffectiveEndpoints().Select(endpoint => endpoint.Port);
    }

    [Fact]
    public async Task EverythingThatIsWrongIsSaidAtOnceAtTheStart()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        new Builder(builder.Services).AddTcpTransport(options =>
        {
            options.Port = 70000;
            options.Backlog = 0;
            options.SendBufferBytes = 0;
            options.MaxWriteBytes = 0;
            options.CloseTimeout = TimeSpan.Zero;
            options.TlsHandshakeTimeout = Timeout.InfiniteTimeSpan;
            options.Endpoints.Add(new() { Port = -1, Address = null! });
            options.Endpoints.Add(new() { Port = 9443, Tls = new SslServerAuthenticationOptions() });
            options.Endpoints.Add(new() { Port = 9443 });
            options.Endpoints.Add(null!);
        });
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(
            [
                "TcpTransportOptions.Port is 70000; it must be between 0 and 65535.",
                "TcpTransportOptions.Backlog is 0; it must be between 1 and 65535.",
                "TcpTransportOptions.SendBufferBytes is 0; it must be between 4096 and 16777216.",
                "TcpTransportOptions.MaxWriteBytes is 0; it must be between 1024 and 16777216.",
                "TcpTransportOptions.CloseTimeout is 00:00:00; it must be between 1 millisecond and 10 minutes.",
                "TcpTransportOptions.TlsHandshakeTimeout is -00:00:00.0010000; it must be between 1 millisecond and 10 minutes.",
                "TcpTransportOptions.Endpoints[0].Port is -1; it must be between 0 and 65535.",
                "TcpTransportOptions.Endpoints[0].Address is null; use IPAddress.IPv6Any for every address.",
                "TcpTransportOptions.Endpoints[1].Tls has no certificate; set its ServerCertificate.",
                "TcpTransportOptions.Endpoints[3] is null; add a TcpEndpointOptions.",
                "TcpTransportOptions listens on :: port 9443 twice; remove one or give it another port.",
            ],
            error.Failures);
    }

    [Fact]
    public void AddingTwiceConfiguresOneTransport()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        new Builder(services)
            .AddTcpTransport(options => options.Port = 1)
            .AddTcpTransport(options => options.Backlog = 7)
            .AddTcpTransport();
        using var provider = services.BuildServiceProvider();
        var transport = Assert.Single(provider.GetServices<IImTransport>());
        Assert.Equal("tcp", transport.Name);
        Assert.Same(transport, provider.GetRequiredService<ITcpTransportEndpoints>());
        Assert.Empty(provider.GetRequiredService<ITcpTransportEndpoints>().BoundEndpoints);
        var options = provider.GetRequiredService<IOptions<TcpTransportOptions>>().Value;
        Assert.Equal((1, 7), (options.Port, options.Backlog));
        Assert.Single(provider.GetServices<IValidateOptions<TcpTransportOptions>>().OfType<TcpTransportOptionsValidator>());
    }

    private sealed class Builder(IServiceCollection services) : IImServerBuilder
    {
        public IServiceCollection Services => services;
    }
}
