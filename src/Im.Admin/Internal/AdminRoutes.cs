using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Im.Administration.Internal;

/// <summary>All calls of the API.</summary>
internal static class AdminRoutes
{
    private static readonly AdminHttpJson Http = AdminHttpJson.Default;
    private static readonly AdminJson Core = AdminJson.Default;
    private static readonly AdminParameter Limit = new("limit", "At most so many; 50 without it, ImAdminOptions.MaxPageItems at most.", "integer");
    private static readonly AdminParameter After = new("after", "What the page before gave as its next one.");
    private static readonly AdminParameter Node = new("node", "The node's name.", InPath: true);
    private static readonly AdminParameter Connection = new("id", "The connection's id on its node.", InPath: true);
    private static readonly AdminParameter User = new("id", "The user's id.", InPath: true);
    private static readonly AdminParameter Group = new("id", "The group's id.", InPath: true);

    public static AdminRoute[] All { get; } =
    [
        Get("/nodes", "The nodes that live, and how they are.", Http.NodesAnswer, NodeCalls.ListAsync),
        Get("/status", "What goes on in all nodes, or in one.", Http.StatusAnswer, NodeCalls.StatusAsync, new AdminParameter("node", "Only this node.")),
        Get(
            "/connections",
            "Connections of all nodes, by node and then by age.",
            Core.AdminConnectionPage,
            ConnectionCalls.ListAsync,
            new AdminParameter("user", "Of this user."),
            new AdminParameter("device", "Of this device."),
            new AdminParameter("node", "On this node."),
            new AdminParameter("transport", "Of this transport, for example tcp."),
            new AdminParameter("state", "In this state.", Values: [.. Enum.GetNames<AdminConnectionState>().Select(JsonNamingPolicy.CamelCase.ConvertName)]),
            After,
            Limit),
        Get("/connections/{node}/{id}", "One connection: session, queue, timelines.", Core.AdminConnectionDetail, ConnectionCalls.GetAsync, Node, Connection),
        Change("DELETE", "/connections/{node}/{id}", "Closes a connection.", Http.CloseBody, Http.ClosedAnswer, ConnectionCalls.CloseAsync, Node, Connection),
        Get("/users/online", "The users who are online on any node.", Core.AdminOnlinePage, UserCalls.OnlineAsync, After, Limit),
        Get(
            "/users/{id}",
            "A user: sessions, devices, conversations.",
            Core.AdminUser,
            UserCalls.GetAsync,
            User,
            new AdminParameter("after", "The conversations after this one."),
            Limit),
        Change("DELETE", "/users/{id}/sessions", "Closes a user's sessions on all nodes.", Http.CloseUserBody, Http.ClosedAnswer, UserCalls.CloseAsync, User),
        Change("POST", "/messages", "Sends messages to users or into conversations.", Http.MessagesBody, Http.MessagesAnswer, MessageCalls.SendAsync),
        Change("POST", "/messages/all", "Hands a message to every session of every node; it is not stored.", Http.EverybodyBody, Core.AdminBroadcast, MessageCalls.SendToAllAsync),
        Get("/groups/{id}", "A group.", Core.AdminGroup, GroupCalls.GetAsync, Group),
        Get(
            "/groups/{id}/members",
            "A group's members, ordered by id.",
            Core.AdminMemberPage,
            GroupCalls.MembersAsync,
            Group,
            new AdminParameter("after", "The members after this one."),
            Limit),
        Get(
            "/trace",
            "Why a message was, or was not, delivered to a user. Either conversationId and seq, or senderId and clientMessageId.",
            Core.AdminTrace,
            MessageCalls.TraceAsync,
            new AdminParameter("userId", "Who should have got it."),
            new AdminParameter("conversationId", "The conversation."),
            new AdminParameter("seq", "The message's seq there.", "integer"),
            new AdminParameter("senderId", "Who sent it."),
            new AdminParameter("clientMessageId", "The sender's id for it.")),
    ];

    private static AdminRoute Get(string pattern, string summary, JsonTypeInfo answer, Func<AdminCall, Task> handle, params AdminParameter[] parameters) =>
        new("GET", pattern, summary, handle) { Answer = answer, Parameters = parameters };

    private static AdminRoute Change(
        string method, string pattern, string summary, JsonTypeInfo body, JsonTypeInfo answer, Func<AdminCall, Task> handle, params AdminParameter[] parameters) =>
        new(method, pattern, summary, handle) { Body = body, Answer = answer, Parameters = parameters };
}
