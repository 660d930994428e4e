namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What <c>AddImServer</c> returns: the packages' verbs extend it.</summary>
/// <remarks><c>Add…</c> adds one more, <c>Use…</c> chooses the implementation; every verb can be safely called multiple times.</remarks>
public interface IImServerBuilder
{
    /// <summary>The host's services.</summary>
    IServiceCollection Services { get; }
}
