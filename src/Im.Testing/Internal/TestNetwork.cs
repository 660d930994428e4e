using System.Threading.Channels;
using Im.Protocol;

namespace Im.Testing.Internal;

/// <summary>A device's way to the server: up or down, held or not.</summary>
internal sealed class TestNetwork(string address)
{
    private readonly Channel<ImTestClose> _closes = Channel.CreateUnbounded<ImTestClose>();

    /// <summary>Protects the fields below; nothing is awaited under it.</summary>
    private readonly Lock _gate = new();
    private TaskCompletionSource? _down;
    private MemoryTransport? _server;
    private MemoryLink? _link;
    private MemoryConnection? _connection;
    private bool _isHeld;

    /// <summary>What the server closed this device's connections with, in order.</summary>
    public ChannelReader<ImTestClose> Closes => _closes.Reader;

    /// <summary>From here on the device connects to this server.</summary>
    public void Attach(MemoryTransport server)
    {
        lock (_gate)
        {
            _server = server;
        }
    }

    /// <summary>Connects as soon as the network is up.</summary>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task? down;
            lock (_gate)
            {
                down = _down?.Task;
                if (down is null)
                {
                    return Open();
                }
            }

            await down.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Cuts the connection and lets none be made. The task completes when the server has noticed.</summary>
    public Task CutAsync()
    {
        MemoryLink? link;
        Task ended;
        lock (_gate)
        {
            _down ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            link = _link;
            ended = _connection?.Ended ?? Task.CompletedTask;
            _isHeld = false;
        }

        link?.Cut();
        return ended;
    }

    /// <summary>Lets no new connection be made; the present one lives on. False: the network was down before.</summary>
    public bool StopConnecting()
    {
        lock (_gate)
        {
            if (_down is not null)
            {
                return false;
            }

            _down = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    public void Restore()
    {
        TaskCompletionSource? down;
        lock (_gate)
        {
            down = _down;
            _down = null;
        }

        down?.TrySetResult();
    }

    public void Hold()
    {
        lock (_gate)
        {
            _isHeld = true;
            _link?.Hold();
        }
    }

    public void Release()
    {
        lock (_gate)
        {
            _isHeld = false;
            _link?.Release();
        }
    }

    private LinkStream Open()
    {
        var server = _server ?? throw new IOException("There is no server.");
        (_link, _connection) = server.Connect(address, (code, reason) => _closes.Writer.TryWrite(new ImTestClose(code, reason)));
        if (_isHeld)
        {
            _link.Hold();
        }

        return new LinkStream(_link);
    }
}
