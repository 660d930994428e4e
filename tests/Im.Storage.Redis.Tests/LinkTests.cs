using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Im.Storage.Redis.Tests;

/// <summary>
/// The package is built on StackExchange.Redis 1.2.6, and hosts lift that. Every type and member that the built DLL refers to must be in the newer ones
/// with the same signature, or it fails at run time.
/// </summary>
public sealed class LinkTests
{
    private const string Library = "StackExchange.Redis";

    [Theory]
    [InlineData("2.13.23")]
    [InlineData("3.4.35")]
    public void EverythingThatIsReferredToIsInTheNewerClient(string version)
    {
        var known = Definitions(Path.Combine(AppContext.BaseDirectory, "clients", version, Library + ".dll"));
        Assert.Empty(References(typeof(ImRedisOptions).Assembly.Location).Except(known));
    }

    [Fact]
    public void WhatIsReferredToIsFound()
    {
        var references = References(typeof(ImRedisOptions).Assembly.Location);
        Assert.True(references.Count > 30, $"{references.Count} references");
        Assert.Contains(references, reference => reference.Contains(".ScriptEvaluateAsync(", StringComparison.Ordinal));
        Assert.Contains($"{Library}.RedisKey", references);
        Assert.DoesNotContain($"{Library}.NoSuchType", Definitions(Path.Combine(AppContext.BaseDirectory, "clients", "2.13.23", Library + ".dll")));
    }

    private static HashSet<string> References(string path)
    {
        using var image = new PEReader(File.OpenRead(path));
        var metadata = image.GetMetadataReader();
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.TypeReferences)
        {
            if (IsLibrary(metadata, metadata.GetTypeReference(handle)))
            {
                found.Add(Names.Of(metadata, handle));
            }
        }

        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference || !IsLibrary(metadata, metadata.GetTypeReference((TypeReferenceHandle)member.Parent)))
            {
                continue;
            }

            var type = Names.Of(metadata, (TypeReferenceHandle)member.Parent);
            var name = metadata.GetString(member.Name);
            found.Add(member.GetKind() == MemberReferenceKind.Method
                ? Names.Method(type, name, member.DecodeMethodSignature(Names.Instance, null))
                : $"{type}.{name}: {member.DecodeFieldSignature(Names.Instance, null)}");
        }

        return found;
    }

    private static HashSet<string> Definitions(string path)
    {
        using var image = new PEReader(File.OpenRead(path));
        var metadata = image.GetMetadataReader();
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.TypeDefinitions)
        {
            var name = Names.Of(metadata, handle);
            found.Add(name);
            // A class has its bases' members; an interface is asked for its own only.
            for (var type = metadata.GetTypeDefinition(handle); ;)
            {
                foreach (var method in type.GetMethods().Select(metadata.GetMethodDefinition))
                {
                    found.Add(Names.Method(name, metadata.GetString(method.Name), method.DecodeSignature(Names.Instance, null)));
                }

                foreach (var field in type.GetFields().Select(metadata.GetFieldDefinition))
                {
                    found.Add($"{name}.{metadata.GetString(field.Name)}: {field.DecodeSignature(Names.Instance, null)}");
                }

                if (type.BaseType.Kind != HandleKind.TypeDefinition || type.BaseType.IsNil)
                {
                    break;
                }

                type = metadata.GetTypeDefinition((TypeDefinitionHandle)type.BaseType);
            }
        }

        return found;
    }

    private static bool IsLibrary(MetadataReader metadata, TypeReference type) => type.ResolutionScope.Kind switch
    {
        HandleKind.AssemblyReference =>
            metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name) == Library,
        HandleKind.TypeReference => IsLibrary(metadata, metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope)),
        _ => false,
    };

    /// <summary>Signatures as text, the same for references and definitions.</summary>
    private sealed class Names : ISignatureTypeProvider<string, object?>
    {
        public static readonly Names Instance = new();

        public static string Method(string type, string name, MethodSignature<string> signature) =>
            $"{type}.{name}({string.Join(", ", signature.ParameterTypes)}): {signature.ReturnType}{(signature.Header.IsInstance ? "" : " static")}";

        public static string Of(MetadataReader reader, TypeReferenceHandle handle)
        {
            var type = reader.GetTypeReference(handle);
            var name = reader.GetString(type.Name);
            return type.ResolutionScope.Kind == HandleKind.TypeReference
                ? $"{Of(reader, (TypeReferenceHandle)type.ResolutionScope)}+{name}"
                : $"{reader.GetString(type.Namespace)}.{name}";
        }

        public static string Of(MetadataReader reader, TypeDefinitionHandle handle)
        {
            var type = reader.GetTypeDefinition(handle);
            var name = reader.GetString(type.Name);
            return type.GetDeclaringType().IsNil ? $"{reader.GetString(type.Namespace)}.{name}" : $"{Of(reader, type.GetDeclaringType())}+{name}";
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => Of(reader, handle);

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Of(reader, handle);

        public string GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        public string GetGenericInstantiation(string type, ImmutableArray<string> arguments) => $"{type}<{string.Join(", ", arguments)}>";

        public string GetArrayType(string element, ArrayShape shape) => $"{element}[{shape.Rank}]";

        public string GetByReferenceType(string element) => element + "&";

        public string GetFunctionPointerType(MethodSignature<string> signature) => "function";

        public string GetGenericMethodParameter(object? context, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? context, int index) => $"!{index}";

        public string GetModifiedType(string modifier, string unmodified, bool isRequired) => isRequired ? $"{unmodified} {modifier}" : unmodified;

        public string GetPinnedType(string element) => element;

        public string GetPointerType(string element) => element + "*";

        public string GetPrimitiveType(PrimitiveTypeCode code) => code.ToString();

        public string GetSZArrayType(string element) => element + "[]";
    }
}
