using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Clients;

internal sealed unsafe partial class Connection
{
    // What was received and is no whole entry or packet yet; the array stays for the next time.
    private byte[] _partial = [];
    private int _partialBytes;

    // How many bytes of the push that is being read are still to come; 0 = the next bytes are a frame's header.
    private int _pushRest;
    private bool _isUpgrading;
    private string? _error;

    /// <summary>Reads once, hands over whatever is whole, and keeps the rest.</summary>
    private void Receive()
    {
        var buffer = _loop.Buffer;
        _partial.AsSpan(0, _partialBytes).CopyTo(new Span<byte>(buffer, _partialBytes));
        var received = (int)Libc.Receive(_socket, buffer + _partialBytes, ClientLoop.ReadBytes, 0);
        if (received <= 0)
        {
            var error = received < 0 ? Libc.Error : 0;
            if (error is not (Libc.Again or Libc.Interrupted) || received == 0)
            {
                End(received == 0 ? "the server closed the connection" : $"the connection broke with errno {error}");
            }

            return;
        }

        _loop.ReadClock();
        _loop.Progress();
        var data = new ReadOnlySpan<byte>(buffer, _partialBytes + received);
        var taken = _isUpgrading ? ReadUpgrade(data) : Parse(data);
        if (IsClosed)
        {
            return;
        }

        var rest = data[taken..];
        if (_partial.Length < rest.Length)
        {
            _partial = new byte[Math.Max(rest.Length, 512)];
        }

        rest.CopyTo(_partial);
        _partialBytes = rest.Length;
    }

    private int Parse(ReadOnlySpan<byte> data)
    {
        var transport = _target.Transport;
        var at = 0;
        while (!IsClosed)
        {
            if (_pushRest > 0)
            {
                at += transport == TransportKind.WsJson ? ReadJsonEntries(data[at..]) : ReadProtobufEntries(data[at..]);
                if (_pushRest > 0)
                {
                    return at;
                }

                _device.OnPushEnd();
                continue;
            }

            if (!FrameHeader.TryRead(data[at..], transport, out var header))
            {
                return at;
            }

            if (header.PayloadBytes > ClientLoop.MaxPacketBytes)
            {
                throw new InvalidDataException($"The server sent a packet of {header.PayloadBytes} bytes.");
            }

            var rest = data[(at + header.Bytes)..];
            var available = rest[..Math.Min(rest.Length, header.PayloadBytes)];
            PushHead head = default;
            var status = header.Opcode >= FrameHeader.Close ? HeadStatus.Other
                : transport == TransportKind.WsJson ? JsonPush.TryReadHead(available, header.PayloadBytes, out head)
                : ProtobufPush.TryReadHead(available, header.PayloadBytes, out head);
            if (status == HeadStatus.Push)
            {
                _device.OnPush(head, header.PayloadBytes);
                _pushRest = header.PayloadBytes - head.Bytes;
                at += header.Bytes + head.Bytes;
                continue;
            }

            if (status == HeadStatus.Incomplete || rest.Length < header.PayloadBytes)
            {
                return at;
            }

            if (header.Opcode >= FrameHeader.Close)
            {
                ReadControl(header.Opcode, available);
            }
            else
            {
                _device.OnPacket(available);
            }

            at += header.Bytes + header.PayloadBytes;
        }

        return data.Length;
    }

    private int ReadProtobufEntries(ReadOnlySpan<byte> data)
    {
        data = data[..Math.Min(data.Length, _pushRest)];
        EntryView entry = default;
        var at = 0;
        while (ProtobufPush.ReadEntry(data[at..], ref entry) is var bytes and > 0)
        {
            at += bytes;
            _device.OnEntry(in entry);
        }

        if (at == 0 && data.Length == _pushRest)
        {
            throw new InvalidDataException("A push ends within an entry.");
        }

        _pushRest -= at;
        return at;
    }

    private int ReadJsonEntries(ReadOnlySpan<byte> data)
    {
        data = data[..Math.Min(data.Length, _pushRest)];
        EntryView entry = default;
        var at = 0;
        while (JsonPush.ReadEntry(data[at..], ref entry) is var bytes and > 0)
        {
            at += bytes;
            if (!entry.Bytes.IsEmpty)
            {
                _device.OnEntry(in entry);
            }
        }

        if (at == 0 && data.Length == _pushRest)
        {
            throw new InvalidDataException("A push ends within an entry.");
        }

        _pushRest -= at;
        return at;
    }

    private void ReadControl(int opcode, ReadOnlySpan<byte> payload)
    {
        switch (opcode)
        {
            case FrameHeader.Ping:
                Send(FrameHeader.WrapWebSocket(payload, FrameHeader.Pong));
                break;
            case FrameHeader.Close:
                End(payload.Length < 2 ? "the server closed the connection" : $"the server closed the connection with {(payload[0] << 8) | payload[1]}");
                break;
        }
    }

    private int ReadUpgrade(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return 0;
        }

        if (!data.StartsWith("HTTP/1.1 101"u8))
        {
            var line = System.Text.Encoding.ASCII.GetString(data[..data.IndexOf((byte)'\r')]);
            throw new InvalidDataException($"The server answered the WebSocket request with: {line}");
        }

        _isUpgrading = false;
        _device.OnConnected();
        return end + 4 + Parse(data[(end + 4)..]);
    }
}
