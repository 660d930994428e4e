using System.Buffers;
using Google.Protobuf;
using Im.Connections;
using Im.Protocol;

namespace Im.Core.Tests.Rooms;

/// <summary>A connection whose socket is written to only when the test reads. Used by one test loop at a time.</summary>
internal sealed class RoomDevice : TransportConnection
{
    private readonly IConnectionHandler _handler;
    private readonly SemaphoreSlim _written = new(0);
    private readonly Queue<ServerPacket> _read = new();
    private uint _lastRequestId;

    private RoomDevice(RoomNode node, ImCodec codec)
    {
        Codec = codec;
        _handler = node.Connections.Accept(this);
    }

    public override string Transport => "fake";

    public override ImCodec Codec { get; }

    public override string RemoteAddress => "";

    public static async Task<RoomDevice> SignInAsync(RoomNode node, string user, ImCodec codec = ImCodec.Protobuf)
    {
        var device = new RoomDevice(node, codec);
        var id = device.Write(new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = "d" } });
        await device.ReadToAsync(packet => packet.RequestId == id);

        // The empty snapshot.
        await device.ReadToAsync(packet => packet.Snapshot is not null);
        return device;
    }

    public uint Write(ClientPacket packet)
    {
        packet.RequestId = ++_lastRequestId;
        _handler.Receive(new ReadOnlySequence<byte>(PacketCodec.Write(packet, Codec)));
        return packet.RequestId;
    }

    /// <summary>Asks, and reads to the answer, which is the last of what is returned.</summary>
    public Task<List<ServerPacket>> AskAsync(ClientPacket packet)
    {
        var id = Write(packet);
        return ReadToAsync(answer => answer.RequestId == id);
    }

    /// <summary>What is queued now, at most so many packets.</summary>
    public List<ServerPacket> Read(int max = int.MaxValue)
    {
        var packets = new List<ServerPacket>();
        while (packets.Count < max && (_read.TryDequeue(out var packet) || (TryWrite(max - packets.Count) && _read.TryDequeue(out packet))))
        {
            packets.Add(packet);
        }

        return packets;
    }

    /// <summary>Reads until a packet that is wanted, which is the last one.</summary>
    public async Task<List<ServerPacket>> ReadToAsync(Func<ServerPacket, bool> isLast)
    {
        var packets = new List<ServerPacket>();
        while (true)
        {
            var next = Read(1);
            packets.AddRange(next);
            if (next.Count == 0)
            {
                Assert.True(await _written.WaitAsync(RoomNode.Patience), $"Waited in vain; read so far: {string.Join("; ", packets)}");
            }
            else if (isLast(next[0]))
            {
                return packets;
            }
        }
    }

    public void Disconnect() => _handler.Disconnected(null);

    public override void RequestWrite() => _written.Release();

    public override void ResumeReading()
    {
    }

    public override void Close(ImCloseCode code, string reason) => Disconnect();

    private bool TryWrite(int packets)
    {
        var writer = new Writer(packets);
        _handler.WriteTo(writer);
        foreach (var bytes in writer.Packets)
        {
            Assert.True(PacketCodec.TryReadServerPacket(new ReadOnlySequence<byte>(bytes), Codec, out var packet, out var problem), problem);
            _read.Enqueue(packet);
        }

        return writer.Packets.Count > 0;
    }

    private sealed class Writer(int max) : IPacketWriter
    {
        private readonly ArrayBufferWriter<byte> _packet = new();
        private int _announced;

        public List<byte[]> Packets { get; } = [];

        public bool IsFull => Packets.Count >= max;

        public void BeginPacket(int packetBytes) => _announced = packetBytes;

        public void Write(ReadOnlySpan<byte> bytes) => _packet.Write(bytes);

        public void WriteShared(ReadOnlyMemory<byte> bytes) => _packet.Write(bytes.Span);

        public void EndPacket()
        {
            Assert.Equal(_announced, _packet.WrittenCount);
            Packets.Add(_packet.WrittenSpan.ToArray());
            _packet.ResetWrittenCount();
        }
    }
}
