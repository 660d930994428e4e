using Im.Conversations;
using Im.Data;
using Im.Groups;
using Im.Messaging;
using Im.Presence;
using Im.Rooms;

namespace Im;

/// <summary>The server as the host's code sees it.</summary>
internal sealed class ImServer(
    IImMessages messages, IImGroups groups, IImConversations conversations, IImSessions sessions, IImPresence presence, IImRooms rooms, IImData data) : IImServer
{
    public IImMessages Messages { get; } = messages;

    public IImGroups Groups { get; } = groups;

    public IImConversations Conversations { get; } = conversations;

    public IImSessions Sessions { get; } = sessions;

    public IImPresence Presence { get; } = presence;

    public IImRooms Rooms { get; } = rooms;

    public IImData Data { get; } = data;
}
