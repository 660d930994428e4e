using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Im.Repository.Tests;

/// <summary>Blocking on a task is found in the compiled assemblies: in text, <c>.Result</c> is also the name of innocent properties.</summary>
public sealed class BlockingCallTests
{
    private static readonly HashSet<string> Banned = new(StringComparer.Ordinal)
    {
        "System.Threading.Tasks.Task`1.get_Result",
        "System.Threading.Tasks.ValueTask`1.get_Result",
        "System.Threading.Tasks.Task.Wait",
        "System.Threading.Tasks.Task.WaitAll",
        "System.Threading.Tasks.Task.WaitAny",
        "System.Threading.Thread.Sleep",
        "System.DateTime.get_Now",
        "System.DateTime.get_UtcNow",
        "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow",
        "System.Runtime.CompilerServices.AsyncVoidMethodBuilder.Create",
    };

    public static TheoryData<string> Assemblies { get; } =
        [.. RepositoryFiles.SourceProjects.Select(path => Path.GetFileNameWithoutExtension(path)!)];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void NoAssemblyBlocksOnATaskOrReadsTheSystemsClock(string assembly)
    {
        var found = ReferencedMembers(assembly).Where(Banned.Contains);
        Assert.Empty(found);
    }

    [Fact]
    public void TheMembersThatAnAssemblyCallsAreFound()
    {
        // The rule above can fail: this very assembly refers to one banned member.
        Assert.NotEqual(default, DateTime.UtcNow);
        Assert.Contains("System.DateTime.get_UtcNow", ReferencedMembers("Im.Repository.Tests"));
    }

    private static IReadOnlyCollection<string> ReferencedMembers(string assembly)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (TypeName(metadata, member.Parent) is { } type)
            {
                names.Add($"{type}.{metadata.GetString(member.Name)}");
            }
        }

        return names;
    }

    private static string? TypeName(MetadataReader metadata, EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeReference:
                var type = metadata.GetTypeReference((TypeReferenceHandle)handle);
                return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
            case HandleKind.TypeSpecification:
                return metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(new Names(), null);
            default:
                return null;
        }
    }

    /// <summary>A generic type's name without its arguments.</summary>
    private sealed class Names : ISignatureTypeProvider<string, object?>
    {
        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => TypeName(reader, handle)!;

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeDefinition(handle).Name);

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => genericType;

        public string GetArrayType(string elementType, ArrayShape shape) => "array";

        public string GetByReferenceType(string elementType) => elementType;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "function";

        public string GetGenericMethodParameter(object? genericContext, int index) => "parameter";

        public string GetGenericTypeParameter(object? genericContext, int index) => "parameter";

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetPinnedType(string elementType) => elementType;

        public string GetPointerType(string elementType) => elementType;

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSZArrayType(string elementType) => "array";
    }
}
