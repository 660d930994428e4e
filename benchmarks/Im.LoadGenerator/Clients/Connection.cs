using System.Net;
using System.Net.Sockets;
using System.Text;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Clients;

/// <summary>One socket without a task, a thread or a buffer of its own while nothing is pending. Used on the loop's thread only.</summary>
internal sealed unsafe partial class Connection : IPolled
{
    private const int TcpLevel = 6;
    private const int NoDelay = 1;
    private const int SocketLevel = 1;
    private const int SocketError = 4;
    private const int IpLevel = 0;
    private const int BindAddressNoPort = 24;

    private readonly ClientLoop _loop;
    private readonly Device _device;
    private readonly Target _target;
    private readonly int _socket;
    private byte[] _unsent = [];
    private int _unsentStart;
    private int _unsentEnd;
    private bool _isConnecting = true;
    private bool _isReading = true;

    /// <summary>Begins to connect; the device hears of the rest.</summary>
    /// <param name="loop">The loop that waits for the socket.</param>
    /// <param name="device">Whose connection it is.</param>
    /// <param name="target">Where to.</param>
    /// <param name="source">The address to connect from; null leaves the choice to the system.</param>
    public Connection(ClientLoop loop, Device device, Target target, IPAddress? source)
    {
        _loop = loop;
        _device = device;
        _target = target;
        _isUpgrading = target.Transport != TransportKind.Tcp;
        var address = target.Endpoint.Serialize();
        _socket = Libc.Socket((int)target.Endpoint.AddressFamily == (int)AddressFamily.InterNetwork ? 2 : 10, Libc.StreamSocket | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (_socket < 0)
        {
            throw new IOException($"No socket: errno {Libc.Error}.");
        }

        SetOption(TcpLevel, NoDelay, 1);
        if (source is not null)
        {
            SetOption(IpLevel, BindAddressNoPort, 1);
            var from = new IPEndPoint(source, 0).Serialize();
            fixed (byte* bytes = from.Buffer.Span)
            {
                Libc.Bind(_socket, bytes, from.Size);
            }
        }

        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Libc.Connect(_socket, bytes, address.Size) < 0 && Libc.Error != Libc.InProgress)
            {
                // Reported by the loop like any other end.
                _error = $"connect failed with errno {Libc.Error}";
            }
        }

        loop.Poller.Add(_socket, this, Libc.PollOut | Libc.PollIn);
    }

    public bool IsClosed { get; private set; }

    /// <summary>Sends a frame, or keeps what the kernel does not take.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        if (IsClosed)
        {
            return;
        }

        if (_unsentEnd == _unsentStart && !_isConnecting)
        {
            frame = frame[TrySend(frame)..];
            if (frame.IsEmpty)
            {
                return;
            }
        }

        Keep(frame);
        SetEvents();
    }

    /// <summary>Leaves in the kernel what arrives, like a client that hangs.</summary>
    public void SetReading(bool isReading)
    {
        _isReading = isReading;
        if (!IsClosed)
        {
            SetEvents();
        }
    }

    public void Close()
    {
        if (!IsClosed)
        {
            IsClosed = true;
            _loop.Poller.Remove(_socket);
            Libc.Close(_socket);
        }
    }

    public void OnReady(uint events)
    {
        try
        {
            if (_isConnecting && !FinishConnecting())
            {
                return;
            }

            if ((events & Libc.PollOut) != 0 && _unsentEnd > _unsentStart)
            {
                _unsentStart += TrySend(_unsent.AsSpan(_unsentStart, _unsentEnd - _unsentStart));
                SetEvents();
            }

            var wanted = _isReading ? Libc.PollIn | Libc.PollHangUp | Libc.PollError : Libc.PollHangUp | Libc.PollError;
            if ((events & wanted) != 0 && !IsClosed)
            {
                Receive();
            }
        }
        catch (InvalidDataException exception)
        {
            End(exception.Message, isProtocolError: true);
        }
    }

    private bool FinishConnecting()
    {
        var error = 0;
        var length = sizeof(int);
        Libc.GetOption(_socket, SocketLevel, SocketError, &error, &length);
        if (error != 0 || _error is not null)
        {
            End(_error ?? $"connect failed with errno {error}");
            return false;
        }

        _isConnecting = false;
        if (_isUpgrading)
        {
            var unsent = _unsent[_unsentStart.._unsentEnd];
            _unsentStart = _unsentEnd = 0;
            Send(Encoding.ASCII.GetBytes(_target.UpgradeRequest));
            if (unsent.Length > 0)
            {
                Keep(unsent);
            }
        }
        else
        {
            _device.OnConnected();
        }

        SetEvents();
        return true;
    }

    private int TrySend(ReadOnlySpan<byte> frame)
    {
        fixed (byte* bytes = frame)
        {
            var sent = (int)Libc.Send(_socket, bytes, frame.Length, Libc.NoSignal);
            if (sent < 0 && Libc.Error is not (Libc.Again or Libc.Interrupted))
            {
                // The end shows itself when the socket is read.
                return frame.Length;
            }

            return Math.Max(0, sent);
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_unsentStart == _unsentEnd)
        {
            _unsentStart = _unsentEnd = 0;
        }

        if (_unsent.Length - _unsentEnd < bytes.Length)
        {
            Array.Resize(ref _unsent, Math.Max(_unsent.Length * 2, _unsentEnd + bytes.Length));
        }

        bytes.CopyTo(_unsent.AsSpan(_unsentEnd));
        _unsentEnd += bytes.Length;
    }

    private void SetEvents()
    {
        if (!IsClosed)
        {
            _loop.Poller.Change(_socket, (_isReading ? Libc.PollIn : 0) | (_isConnecting || _unsentEnd > _unsentStart ? Libc.PollOut : 0));
        }
    }

    private void End(string reason, bool isProtocolError = false)
    {
        Close();
        _device.OnDisconnected(this, reason, isProtocolError);
    }

    private void SetOption(int level, int name, int value) => Libc.SetOption(_socket, level, name, &value, sizeof(int));
}
