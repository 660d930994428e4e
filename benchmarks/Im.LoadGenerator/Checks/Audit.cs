namespace Im.LoadGenerator.Checks;

/// <summary>The look at everything when a run is over: what is missing, and whether each sender's order was kept.</summary>
internal static class Audit
{
    /// <summary>Adds to the ledger's counts.</summary>
    /// <param name="ledger">The run.</param>
    /// <param name="from">Messages before this number were looked at before.</param>
    public static void Run(Ledger ledger, int from = 0)
    {
        for (var number = from; number < ledger.Sent; number++)
        {
            ref var message = ref ledger[number];
            if (message.AckSeq == 0)
            {
                ledger.Error($"Message {number} was never acked.");
            }

            if (message.PushSeq == 0)
            {
                var receivers = ledger.Conversations[message.Conversation].Receivers;
                ledger.Lost += receivers;
                ledger.Report($"Message {number} reached none of {receivers} devices.");
            }
        }

        foreach (var conversation in ledger.Conversations)
        {
            CheckRecords(ledger, conversation, from);
        }
    }

    private static void CheckRecords(Ledger ledger, Conversation conversation, int from)
    {
        var lastOfSender = new Dictionary<int, int>();
        for (var seq = conversation.Base + 1; seq <= conversation.Head; seq++)
        {
            ref var record = ref conversation[seq];
            if (record.Digits is 0 or Record.Foreign || record.Number < from)
            {
                continue;
            }

            if (record.Remaining > 0)
            {
                ledger.Lost += record.Remaining;
                ledger.Report($"{conversation.Id}: seq {seq} (message {record.Number}) did not reach {record.Remaining} of {conversation.Receivers} devices.");
            }
            else if (record.Remaining < 0)
            {
                ledger.Duplicated -= record.Remaining;
                ledger.Report($"{conversation.Id}: seq {seq} was delivered {-record.Remaining} times too often.");
            }

            ref var message = ref ledger[record.Number];
            if (message.WasRefused)
            {
                continue;
            }

            if (lastOfSender.TryGetValue(message.Device, out var last) && last > record.Number)
            {
                ledger.Reordered++;
                ledger.Report($"{conversation.Id}: message {record.Number} stands after {last} of the same sender, which was sent later.");
            }

            lastOfSender[message.Device] = record.Number;
        }
    }
}
