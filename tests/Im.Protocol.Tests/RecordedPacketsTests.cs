using System.Collections;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Tests;

/// <summary>
/// Clients of one version talk to servers of the next, and the other way round. The files hold every packet as a released version has written it, each with
/// every field set; they are never changed. A version that adds something adds a file (IM_RECORD=name writes the present packets under that name).
/// </summary>
public sealed class RecordedPacketsTests
{
    private const int MaxDepth = 4;

    public static TheoryData<string> Files => [.. Directory.GetFiles(GetFolder(), "*.txt").Select(file => Path.GetFileNameWithoutExtension(file))];

    [Fact]
    public void ThePresentPacketsAreRecorded()
    {
        string[] present = [.. Describe(ClientPacket.Descriptor), .. Describe(ServerPacket.Descriptor)];
        if (Environment.GetEnvironmentVariable("IM_RECORD") is { Length: > 0 } name)
        {
            File.WriteAllLines(Path.Combine(GetFolder(), name + ".txt"), present);
        }

        var recorded = Directory.GetFiles(GetFolder(), "*.txt").SelectMany(File.ReadAllLines).ToHashSet(StringComparer.Ordinal);
        Assert.Equal([], present.Where(line => !recorded.Contains(line)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryFieldThatAVersionHasWrittenIsStillKnownUnderItsNumberAndType(string name)
    {
        foreach (var line in File.ReadAllLines(Path.Combine(GetFolder(), name + ".txt")))
        {
            var parts = line.Split(' ');
            var bytes = Convert.FromHexString(parts[2]);
            IMessage packet = parts[0] == nameof(ClientPacket)
                ? ClientPacket.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes)
                : ServerPacket.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes);
            Assert.Equal(parts[1], packet.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(packet)?.Name);
            Assert.Equal(parts[2], Convert.ToHexString(packet.ToByteArray()));
        }
    }

    private static IEnumerable<string> Describe(MessageDescriptor packet)
    {
        foreach (var kind in packet.Oneofs[0].Fields)
        {
            var message = packet.Parser.ParseFrom([]);
            foreach (var field in packet.Fields.InFieldNumberOrder().Where(field => field.ContainingOneof is null))
            {
                Fill(message, field, 0);
            }

            Fill(message, kind, 0);
            yield return $"{packet.Name} {kind.Name} {Convert.ToHexString(message.ToByteArray())}";
        }
    }

    // Of a oneof the first field; the others have messages of their own only at the top.
    private static void FillAll(IMessage message, int depth)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.ContainingOneof is not { } oneof || oneof.Fields[0] == field)
            {
                Fill(message, field, depth);
            }
        }
    }

    private static void Fill(IMessage message, FieldDescriptor field, int depth)
    {
        if (depth > MaxDepth)
        {
            return;
        }

        object? value = field.FieldType switch
        {
            FieldType.Message => CreateFilled(field.MessageType, depth + 1),
            FieldType.String => field.Name,
            FieldType.Bytes => ByteString.CopyFromUtf8(field.Name),
            FieldType.Bool => true,
            FieldType.Enum => field.EnumType.Values[^1].Number,
            FieldType.Int32 => field.FieldNumber + 1000,
            FieldType.UInt32 => (uint)field.FieldNumber + 1000,
            FieldType.Int64 => (long)field.FieldNumber + 1_000_000_000_000,
            _ => throw new NotSupportedException($"Say what a {field.FieldType} is filled with."),
        };
        if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            list.Add(field.FieldType == FieldType.Enum ? Enum.ToObject(field.EnumType.ClrType, value!) : value);
        }
        else
        {
            field.Accessor.SetValue(message, value);
        }
    }

    private static IMessage CreateFilled(MessageDescriptor descriptor, int depth)
    {
        var message = descriptor.Parser.ParseFrom([]);
        FillAll(message, depth);
        return message;
    }

    private static string GetFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "Recorded");
}
