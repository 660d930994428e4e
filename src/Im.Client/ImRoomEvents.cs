using Im.Protocol;

namespace Im.Client;

/// <summary>The next message of a room and priority. Messages of one priority come in the order of their seqs, each once; what is missing is told first.</summary>
/// <param name="RoomId">The room.</param>
/// <param name="Priority">Which of its two sequences; high ones may come before normal ones that are older.</param>
/// <param name="Seq">The place in that sequence, within the room's epoch.</param>
/// <param name="Message">The message.</param>
public sealed record ImRoomMessageEvent(string RoomId, RoomPriority Priority, long Seq, RoomMessage Message) : ImEvent;

/// <summary>Messages of a room that this client will not get: it, or the way to it, was too slow, or it was away for longer than they are kept.</summary>
/// <param name="RoomId">The room.</param>
/// <param name="Priority">Which of its two sequences.</param>
/// <param name="FromSeq">The first that is missing.</param>
/// <param name="ToSeq">The last that is missing.</param>
public sealed record ImRoomGapEvent(string RoomId, RoomPriority Priority, long FromSeq, long ToSeq) : ImEvent;

/// <summary>The server has ended the subscription, or refused it after a reconnect. Nothing more of the room comes.</summary>
/// <param name="RoomId">The room.</param>
/// <param name="Error">The refusal; null where the host ended the subscription.</param>
public sealed record ImRoomLeftEvent(string RoomId, ImClientException? Error) : ImEvent;
