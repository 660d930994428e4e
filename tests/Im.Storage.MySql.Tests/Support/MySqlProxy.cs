using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>What happens to a connection at a COMMIT.</summary>
public enum CommitCut
{
    /// <summary>The COMMIT never reaches the server.</summary>
    BeforeForwarding,

    /// <summary>The COMMIT is forwarded and both sides are cut at once, so the server may be anywhere in it.</summary>
    RightAfterForwarding,

    /// <summary>The server has answered; the answer does not reach the client.</summary>
    InsteadOfTheAnswer,

    /// <summary>The COMMIT does not reach the server and the client's side is cut; the server keeps its connection, with all its locks.</summary>
    OnTheClientsSideOnly,
}

/// <summary>A TCP proxy between driver and server that reads the client's packets and cuts a connection at the commit of an append.</summary>
public sealed class MySqlProxy : IAsyncDisposable
{
    private readonly int _serverPort;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Link> _links = [];
    private readonly Lock _gate = new();
    private readonly Queue<CommitCut> _cuts = new();
    private readonly Task _accepting;
    private int _commits;
    private volatile bool _stopsAtCommit;

    public MySqlProxy(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many commits of appends reached the proxy.</summary>
    public int Commits => Volatile.Read(ref _commits);

    /// <summary>The next commit of an append is cut; several stand in a row.</summary>
    public void CutNextCommit(CommitCut cut)
    {
        lock (_gate)
        {
            _cuts.Enqueue(cut);
        }
    }

    public int CutsLeft
    {
        get
        {
            lock (_gate)
            {
                return _cuts.Count;
            }
        }
    }

    /// <summary>At the next commit of an append the proxy ends for good, as if the network did.</summary>
    public void StopAtNextCommit() => _stopsAtCommit = true;

    /// <summary>Cuts every connection.</summary>
    public void CutAll()
    {
        lock (_gate)
        {
            _links.ForEach(link => link.Dispose());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        CutAll();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        var link = new Link(client, server);
        lock (_gate)
        {
            _links.Add(link);
        }

        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _serverPort);
            await Task.WhenAll(FromServerAsync(link), FromClientAsync(link));
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // One side has gone.
        }
        finally
        {
            if (!link.KeepsServer)
            {
                link.Dispose();
            }
        }
    }

    private static async Task FromServerAsync(Link link)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var count = await link.Server.ReceiveAsync(buffer);
                if (count == 0 || link.DropsAnswer)
                {
                    break;
                }

                await link.ClientStream.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        finally
        {
            if (!link.KeepsServer)
            {
                link.Dispose();
            }
        }
    }

    // A packet: three bytes of length, one of sequence, then the command's byte and its text.
    private async Task FromClientAsync(Link link)
    {
        var packet = new byte[64 * 1024];
        var isAppend = false;
        try
        {
            while (true)
            {
                await link.ClientStream.ReadExactlyAsync(packet.AsMemory(0, 4));
                var length = (int)(BinaryPrimitives.ReadUInt32LittleEndian(packet) & 0xFFFFFF);
                if (packet.Length < length + 4)
                {
                    Array.Resize(ref packet, length + 4);
                }

                await link.ClientStream.ReadExactlyAsync(packet.AsMemory(4, length));
                var text = Encoding.Latin1.GetString(packet, 4, Math.Min(length, 64));
                if (text.StartsWith("\u0003INSERT IGNORE INTO im_commits", StringComparison.Ordinal))
                {
                    isAppend = true;
                }
                else if (isAppend && text == "\u0003COMMIT")
                {
                    isAppend = false;
                    if (await CutAsync(link, packet.AsMemory(0, length + 4)))
                    {
                        return;
                    }
                }

                await link.ServerStream.WriteAsync(packet.AsMemory(0, length + 4));
            }
        }
        finally
        {
            if (link is { KeepsServer: false, DropsAnswer: false })
            {
                link.Dispose();
            }
        }
    }

    private async Task<bool> CutAsync(Link link, ReadOnlyMemory<byte> commit)
    {
        Interlocked.Increment(ref _commits);
        if (_stopsAtCommit)
        {
            _listener.Stop();
            CutAll();
            return true;
        }

        CommitCut cut;
        lock (_gate)
        {
            if (!_cuts.TryDequeue(out cut))
            {
                return false;
            }
        }

        switch (cut)
        {
            case CommitCut.RightAfterForwarding:
                await link.ServerStream.WriteAsync(commit);
                link.Dispose();
                break;
            case CommitCut.InsteadOfTheAnswer:
                link.DropsAnswer = true;
                await link.ServerStream.WriteAsync(commit);
                break;
            case CommitCut.OnTheClientsSideOnly:
                link.KeepsServer = true;
                link.Client.Dispose();
                break;
            default:
                link.Dispose();
                break;
        }

        return true;
    }

    private sealed class Link(Socket client, Socket server) : IDisposable
    {
        private NetworkStream? _clientStream;
        private NetworkStream? _serverStream;

        public Socket Client { get; } = client;

        public Socket Server { get; } = server;

        public NetworkStream ClientStream => _clientStream ??= new NetworkStream(Client);

        public NetworkStream ServerStream => _serverStream ??= new NetworkStream(Server);

        public volatile bool DropsAnswer;

        public volatile bool KeepsServer;

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
