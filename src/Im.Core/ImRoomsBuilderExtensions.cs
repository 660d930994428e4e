using System.Diagnostics.CodeAnalysis;
using Im;
using Im.Rooms;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Opens rooms to clients, and sets their limits.</summary>
public static class ImRoomsBuilderExtensions
{
    /// <summary>
    /// Says who may subscribe and send to which room; without a policy clients are refused. The last call counts; a new scope for each question, so a
    /// <c>DbContext</c> can be injected.
    /// </summary>
    public static IImServerBuilder AddRoomPolicy<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IRoomPolicy
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Scoped<IRoomPolicy, T>());
        return builder;
    }

    /// <summary>Every signed-in user may subscribe and send to every room. It takes the place of a policy; it can be safely called multiple times.</summary>
    public static IImServerBuilder AllowAllRooms(this IImServerBuilder builder) => builder.AddRoomPolicy<AllowAllRooms>();

    /// <summary>Sets the limits of rooms. It can be safely called multiple times: all delegates apply, in order.</summary>
    public static IImServerBuilder UseRooms(this IImServerBuilder builder, Action<ImRoomOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder;
    }
}
