using Im.Model;
using Im.Storage;
using Im.Timelines;

namespace Im.Administration;

/// <summary>Follows one message from its acceptance to each device of one user, and says where it stopped.</summary>
internal sealed class MessageTracer(
    NodeQuestions nodes, IMessageStore store, IConversationStore conversations, IDeviceStore devices, InboxFinder inboxes)
{
    public async ValueTask<AdminTrace> TraceAsync(AdminTraceQuery query, CancellationToken cancellationToken)
    {
        Check(query);
        var found = await FindAsync(query, cancellationToken);
        if (found.Message is not { } message)
        {
            return new AdminTrace { Verdict = AdminVerdict.NotAccepted, Text = found.Problem, UserId = query.UserId };
        }

        var stays = await conversations.GetMembershipsAsync(query.UserId, message.ConversationId, cancellationToken);
        var trace = new AdminTrace
        {
            Verdict = AdminVerdict.NotAMember,
            Text = "",
            UserId = query.UserId,
            Message = message,
            Stays = [.. stays.Select(stay => new AdminStay(stay.First.Value, stay.Last?.Value))],
        };
        if (!trace.Stays.Any(stay => stay.FirstSeq <= message.Seq && message.Seq <= (stay.LastSeq ?? long.MaxValue)))
        {
            return trace with { Text = TraceVerdict.ExplainNoMember(trace) };
        }

        trace = await AddRouteAsync(trace, message, cancellationToken);
        var question = new PlacesRequest(query.UserId, message.ConversationId, message.Seq);
        var answers = await nodes.AskAllAsync(
            DescribePlaces.OperationName, question, AdminJson.Default.PlacesRequest, AdminJson.Default.PlacesAnswer, cancellationToken);
        trace = trace with
        {
            Devices = await ReadDevicesAsync(trace, message, [.. answers.SelectMany(one => one.Answer?.Sessions ?? [])], cancellationToken),
            Notices = [.. answers.SelectMany(one => one.Answer?.Notices ?? [])],
            SilentNodes = [.. answers.Where(one => one.Answer is null).Select(one => one.Node.Name)],
        };
        var (verdict, text) = TraceVerdict.Decide(trace, message, answers.Any(one => one.Answer?.HasNotifiers == true));
        return trace with { Verdict = verdict, Text = text };
    }

    private static void Check(AdminTraceQuery query)
    {
        AdminArguments.ThrowIfNoUserId(query.UserId);
        var byId = query.SenderId is not null || query.ClientMessageId is not null;
        var byPlace = query.Seq is not null;
        if (byId == byPlace)
        {
            throw new ArgumentException("Say which message: either conversationId and seq, or senderId and clientMessageId.", nameof(query));
        }

        if (byId)
        {
            AdminArguments.ThrowIfNoId(query.SenderId, Ids.MaxBytes, "senderId");
            AdminArguments.ThrowIfNoId(query.ClientMessageId, Ids.MaxBytes, "clientMessageId");
        }
        else if (query.Seq < 1)
        {
            throw new ArgumentException("seq is at least 1.", nameof(query));
        }

        if (byPlace || query.ConversationId is not null)
        {
            AdminArguments.ThrowIfNoId(query.ConversationId, ConversationId.MaxBytes, "conversationId");
        }
    }

    private async ValueTask<(AdminTracedMessage? Message, string Problem)> FindAsync(AdminTraceQuery query, CancellationToken cancellationToken)
    {
        var (conversationId, seq) = (query.ConversationId ?? "", query.Seq ?? 0);
        var acceptedMs = 0L;
        if (query.ClientMessageId is { } clientMessageId)
        {
            if ((await store.FindSentAsync([new SentKey(query.SenderId!, clientMessageId)], cancellationToken))[0] is not { } sent)
            {
                return (null, $"No message with this id of \"{query.SenderId}\" is stored: the server never acknowledged it, it was a non-persistent one, it waits in the queue of sends, or its id "
                    + "is older than ids are kept (ImRetentionOptions). Look for it by conversation and seq.");
            }

            if (query.ConversationId is not null && query.ConversationId != sent.ConversationId)
            {
                return (null, $"The message with this id was sent into another conversation, \"{sent.ConversationId}\".");
            }

            (conversationId, seq, acceptedMs) = (sent.ConversationId, sent.Seq.Value, sent.TimeMs);
        }

        var head = (await store.GetHeadsAsync([TimelineKey.Conversation(conversationId)], cancellationToken))[0];
        if (seq > head.Head)
        {
            return (null, head.Head == 0
                ? $"There is no conversation \"{conversationId}\", or nothing was ever sent into it."
                : $"The conversation's last entry is {head.Head}; there is no {seq}.");
        }

        var entry = seq < head.Floor
            ? StoredEntry.Forgotten(conversationId, new ConversationSeq(seq))
            : (await store.ReadEntriesAsync([new Run(conversationId, new ConversationSeq(seq), 1)], 1, cancellationToken))[0];
        return (new AdminTracedMessage(
            conversationId,
            seq,
            entry.SenderId.Length > 0 ? entry.SenderId : query.SenderId ?? "",
            entry.ClientMessageId.Length > 0 ? entry.ClientMessageId : query.ClientMessageId ?? "",
            entry.TimeMs > 0 ? entry.TimeMs : acceptedMs,
            entry.Kind.ToString(),
            entry.IsGone,
            seq < head.Floor), "");
    }

    // Through the conversation's timeline where it stands in a part that is read by cursor; otherwise through the inbox.
    private async ValueTask<AdminTrace> AddRouteAsync(AdminTrace trace, AdminTracedMessage message, CancellationToken cancellationToken)
    {
        var parts = await conversations.GetReadTimelinesAsync(trace.UserId, [message.ConversationId], new InboxSeq(long.MaxValue), cancellationToken);
        if (parts.Any(part => part.ConversationId == message.ConversationId && part.After.Value < message.Seq && message.Seq <= (part.Last?.Value ?? long.MaxValue)))
        {
            return trace with { Route = AdminRoute.Conversation };
        }

        var inbox = (await store.GetHeadsAsync([TimelineKey.Inbox(trace.UserId)], cancellationToken))[0];
        return trace with
        {
            Route = AdminRoute.Inbox,
            InboxSeq = await inboxes.FindAsync(trace.UserId, message.ConversationId, message.Seq, message.AcceptedMs, inbox, cancellationToken),
        };
    }

    private async ValueTask<IReadOnlyList<AdminTracedDevice>> ReadDevicesAsync(
        AdminTrace trace, AdminTracedMessage message, IReadOnlyList<AdminSessionPlace> sessions, CancellationToken cancellationToken)
    {
        var known = (await devices.ListAsync(trace.UserId, cancellationToken)).ToDictionary(device => device.DeviceId, StringComparer.Ordinal);
        var (timeline, seq) = trace.Route == AdminRoute.Conversation
            ? (TimelineKey.Conversation(message.ConversationId), message.Seq)
            : (TimelineKey.Inbox(trace.UserId), trace.InboxSeq);
        var traced = new List<AdminTracedDevice>();
        foreach (var deviceId in known.Keys.Union(sessions.Select(session => session.DeviceId)).Order(StringComparer.Ordinal))
        {
            // A device that is just changing its connection may have two; the newer one counts.
            var session = sessions.Where(one => one.DeviceId == deviceId).MaxBy(one => one.SignedInMs);
            var acked = await devices.GetAckAsync(trace.UserId, deviceId, timeline, cancellationToken);
            var cursor = trace.Route == AdminRoute.Conversation ? session?.Conversation?.Cursor : session?.Inbox.Cursor;
            traced.Add(new AdminTracedDevice
            {
                DeviceId = deviceId,
                State = seq > 0 && acked >= seq ? AdminDeviceState.Acked
                    : session is null ? AdminDeviceState.NoSession
                    : seq > 0 && cursor >= seq ? AdminDeviceState.Pushed
                    : AdminDeviceState.Behind,
                AckedSeq = acked,
                LastSignInMs = known.GetValueOrDefault(deviceId)?.LastSignInMs ?? 0,
                Session = session,
            });
        }

        return traced;
    }
}
