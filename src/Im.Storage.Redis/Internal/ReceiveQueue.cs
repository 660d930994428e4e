using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Im.Storage.Redis.Internal;

/// <summary>What was received waits here for one loop, so that the library's reader never waits for us. Full, it drops what comes, and counts it.</summary>
internal sealed class ReceiveQueue<T>
{
    private readonly string _name;
    private readonly Action<T> _receive;
    private readonly RedisMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Channel<T> _queue;
    private readonly Task _loop;
    private long _dropped;

    public ReceiveQueue(string name, int capacity, Action<T> receive, RedisMetrics metrics, ILogger logger)
    {
        _name = name;
        _receive = receive;
        _metrics = metrics;
        _logger = logger;
        // "Wait" makes TryWrite answer false when it is full.
        _queue = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _loop = ReceiveAsync();
    }

    public void Add(T item)
    {
        if (!_queue.Writer.TryWrite(item))
        {
            _metrics.Dropped(_name, 1);
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Takes no more; ends when what waits is handled.</summary>
    public Task StopAsync()
    {
        _queue.Writer.TryComplete();
        return _loop;
    }

    private async Task ReceiveAsync()
    {
        await foreach (var item in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
            {
                Log.MessagesDropped(_logger, _name, dropped);
            }

            try
            {
                _receive(item);
            }
            catch (Exception exception)
            {
                Log.ReceiverFailed(_logger, _name, exception);
            }
        }
    }
}
