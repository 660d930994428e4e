using Im.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Im.Transport.WebSockets.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void DefaultsAreAsDocumented()
    {
        var options = new WebSocketTransportOptions();
        Assert.Empty(options.AllowedOrigins);
        Assert.Equal(TimeSpan.FromSeconds(5), options.CloseTimeout);
        Assert.Equal(65_536, options.MaxWriteBytes);
        Assert.Equal(131_072, options.SocketSendBufferBytes);
    }

    [Fact]
    public async Task EveryMistakeIsReportedAtTheStart()
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => LiveServer.StartAsync(Spoil, accept: false));
        Assert.Equal(
            [
                "Property CloseTimeout: must be from 00:00:00.1000000 to 00:05:00, not 00:00:00.",
                "Property MaxWriteBytes: must be from 1024 to 16777216, not 1023.",
                "Property SocketSendBufferBytes: must be null or from 4096 to 16777216, not 1.",
                "Property AllowedOrigins: 'chat.example.com' is no origin. Write scheme, host and, where it is not the scheme's own, port: https://chat.example.com",
                "Property AllowedOrigins: 'https://a.example/path' is no origin. Write scheme, host and, where it is not the scheme's own, port: https://chat.example.com",
            ],
            error.Failures);

        static void Spoil(WebSocketTransportOptions options)
        {
            options.CloseTimeout = TimeSpan.Zero;
            options.MaxWriteBytes = 1023;
            options.SocketSendBufferBytes = 1;
            options.AllowedOrigins.Add("chat.example.com");
            options.AllowedOrigins.Add("https://a.example/path");
            options.AllowedOrigins.Add("https://good.example");
            options.AllowedOrigins.Add("*");
        }
    }

    [Fact]
    public void AddWebSocketTransportCanBeSafelyCalledMultipleTimes()
    {
        var services = new ServiceCollection();
        new LiveServer.Builder(services)
            .AddWebSocketTransport(options => options.MaxWriteBytes = 2048)
            .AddWebSocketTransport(options => options.CloseTimeout = TimeSpan.FromSeconds(1))
            .AddWebSocketTransport();
        using var provider = services.BuildServiceProvider();
        Assert.Equal("websocket", Assert.Single(provider.GetServices<IImTransport>()).Name);
        var options = provider.GetRequiredService<IOptions<WebSocketTransportOptions>>().Value;
        Assert.Equal((2048, TimeSpan.FromSeconds(1)), (options.MaxWriteBytes, options.CloseTimeout));
        Assert.Single(provider.GetServices<IValidateOptions<WebSocketTransportOptions>>(), validator => validator is Internal.WebSocketTransportOptionsValidator);
    }
}
