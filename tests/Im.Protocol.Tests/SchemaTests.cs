using Google.Protobuf.Reflection;
using Im.Protocol.Codecs;

namespace Im.Protocol.Tests;

public sealed class SchemaTests
{
    [Fact]
    public void EveryFieldOfEveryPacketIsOfATypeThatTheCodecsCarry()
    {
        Assert.Empty(MessageSchema.FindUnsupported(ClientPacket.Descriptor));
        Assert.Empty(MessageSchema.FindUnsupported(ServerPacket.Descriptor));
        Assert.Empty(MessageSchema.FindUnsupported(Entry.Descriptor));
    }

    [Fact]
    public void TypesThatTheCodecsDoNotCarryAreFound()
    {
        // Maps, repeated numbers and doubles, in messages that Google.Protobuf brings.
        Assert.Contains("google.protobuf.Struct.fields", MessageSchema.FindUnsupported(Google.Protobuf.WellKnownTypes.Struct.Descriptor));
        Assert.Contains("google.protobuf.Value.number_value", MessageSchema.FindUnsupported(Google.Protobuf.WellKnownTypes.Value.Descriptor));
        Assert.Contains("google.protobuf.FileDescriptorProto.public_dependency", MessageSchema.FindUnsupported(FileDescriptorProto.Descriptor));
    }

    [Fact]
    public void EveryFieldIsFoundByItsNumberAndByBothItsNames()
    {
        foreach (var (path, field) in Fields.Of(ServerPacket.Descriptor).Concat(Fields.Of(ClientPacket.Descriptor)))
        {
            var schema = path[0].ContainingType == ClientPacket.Descriptor ? MessageSchema.ClientPacket : MessageSchema.ServerPacket;
            foreach (var step in path.SkipLast(1))
            {
                schema = schema.Find(step.FieldNumber)!.Message!;
            }

            var found = schema.Find(field.FieldNumber);
            Assert.NotNull(found);
            Assert.Equal(field.JsonName, found.JsonName);
            Assert.Same(found, schema.Find(System.Text.Encoding.UTF8.GetBytes(field.JsonName)));
            Assert.Same(found, schema.Find(System.Text.Encoding.UTF8.GetBytes(field.Name)));
            Assert.Null(schema.Find(field.FieldNumber + 1000));
            Assert.Null(schema.Find("noSuchField"u8));
        }
    }
}
