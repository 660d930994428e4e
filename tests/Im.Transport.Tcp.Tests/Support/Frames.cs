using Im.Protocol;

namespace Im.Transport.Tcp.Tests.Support;

internal static class Frames
{
    public static byte[] Of(params byte[][] packets)
    {
        using var stream = new MemoryStream();
        Span<byte> prefix = stackalloc byte[PacketFraming.MaxPrefixBytes];
        foreach (var packet in packets)
        {
            stream.Write(prefix[..PacketFraming.WritePrefix(prefix, packet.Length)]);
            stream.Write(packet);
        }

        return stream.ToArray();
    }
}
