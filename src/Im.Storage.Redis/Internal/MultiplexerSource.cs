using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Makes the multiplexer that everything here shares: one of our own from the options' text, or the host's.</summary>
internal sealed class MultiplexerSource(IOptions<ImRedisOptions> options, IServiceProvider services)
{
    private const int KeepAliveSeconds = 5;

    /// <summary>Whether it is made here, and so may be replaced.</summary>
    public bool IsOurs => options.Value.Connect is null;

    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var settings = options.Value;
        if (settings.Connect is { } connect)
        {
            return await connect(services).ConfigureAwait(false);
        }

        var configuration = ConfigurationOptions.Parse(settings.Configuration!);
        // Not connecting is no failure: it goes on trying, and is used when it succeeds.
        configuration.AbortOnConnectFail = false;
        // The scripts publish too, and they know our prefix only.
        configuration.ChannelPrefix = default;
        configuration.ReconnectRetryPolicy = new LinearRetry((int)settings.ProbeInterval.TotalMilliseconds);
        if (!settings.Configuration!.Contains("keepAlive=", StringComparison.OrdinalIgnoreCase))
        {
            // A connection that is dead without a word is noticed after a few of these.
            configuration.KeepAlive = KeepAliveSeconds;
        }

        return await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
    }

    /// <summary>Ends one of our own; others may use the host's.</summary>
    public void Release(IConnectionMultiplexer multiplexer)
    {
        if (IsOurs)
        {
            // As the class: what the interface offers differs between the library's versions. Without waiting for what is under way, which would block.
            var ours = (ConnectionMultiplexer)multiplexer;
            ours.Close(allowCommandsToComplete: false);
            ours.Dispose();
        }
    }
}
