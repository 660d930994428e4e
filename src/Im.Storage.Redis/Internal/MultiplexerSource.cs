using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Makes the multiplexer that everything here shares.</summary>
internal interface IMultiplexerSource
{
    /// <summary>Whether the options' configuration string is used.</summary>
    bool NeedsConfiguration { get; }

    Task<IConnectionMultiplexer> ConnectAsync();

    void Release(IConnectionMultiplexer multiplexer);
}

/// <summary>One of our own, from the options.</summary>
internal sealed class ConfiguredMultiplexer(IOptions<ImRedisOptions> options) : IMultiplexerSource
{
    private const int KeepAliveSeconds = 5;

    public bool NeedsConfiguration => true;

    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var settings = options.Value;
        var configuration = ConfigurationOptions.Parse(settings.Configuration!);
        // Not connecting is no failure: it goes on trying, and is used when it succeeds.
        configuration.AbortOnConnectFail = false;
        // The scripts publish too, and they know our prefix only.
        configuration.ChannelPrefix = default;
        configuration.ReconnectRetryPolicy = new LinearRetry((int)settings.ProbeInterval.TotalMilliseconds);
        if (!Says(settings.Configuration!, "keepAlive"))
        {
            configuration.KeepAlive = KeepAliveSeconds;
        }

        return await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
    }

    // As a class: what the interface offers differs between the library's versions.
    public void Release(IConnectionMultiplexer multiplexer) => ((ConnectionMultiplexer)multiplexer).Dispose();

    private static bool Says(string configuration, string option) => configuration.Contains(option + "=", StringComparison.OrdinalIgnoreCase);
}

/// <summary>The host's, which the host disposes of.</summary>
internal sealed class HostsMultiplexer(Func<Task<IConnectionMultiplexer>> connect) : IMultiplexerSource
{
    public bool NeedsConfiguration => false;

    public Task<IConnectionMultiplexer> ConnectAsync() => connect();

    public void Release(IConnectionMultiplexer multiplexer)
    {
        // Others may use it.
    }
}
