using Im.Conversations;
using Im.Data;
using Im.Groups;
using Im.Messaging;
using Im.Presence;
using Im.Rooms;

namespace Im;

/// <summary>The IM server inside this process, for the host's own code. Resolve it from the services.</summary>
/// <remarks>
/// All of it is safe to call from many threads. What a client could not do either (unknown user, not a member …) throws <see cref="ImException"/>
/// with the code that a client would get, unless a method says that it returns results.
/// </remarks>
public interface IImServer
{
    /// <summary>Sends messages as a user or as the system.</summary>
    IImMessages Messages { get; }

    /// <summary>Creates and changes groups.</summary>
    IImGroups Groups { get; }

    /// <summary>A user's conversations, marks and history.</summary>
    IImConversations Conversations { get; }

    /// <summary>Who is online, on which devices; disconnects them.</summary>
    IImSessions Sessions { get; }

    /// <summary>Presence of users, and signals.</summary>
    IImPresence Presence { get; }

    /// <summary>Sends to rooms; who is in them on this node.</summary>
    IImRooms Rooms { get; }

    /// <summary>Exports and erases a user's data, imports old history.</summary>
    IImData Data { get; }
}
