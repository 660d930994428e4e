using Im.Client;
using Im.ClusterTests.Cluster;

namespace Im.ClusterTests.Load;

/// <summary>Compares everything with the store, after all has settled.</summary>
internal static class Verification
{
    private const int PageEntries = 500;

    public static async Task RunAsync(TestCluster cluster, World world, MessageBook book, Problems problems)
    {
        for (var number = 0; number < book.Sent; number++)
        {
            if (!book.IsAcked(number))
            {
                problems.Add($"Message {number} has no ack.");
            }

            foreach (var device in book.ConversationOf(number).Devices.Where(device => !device.Has(number)))
            {
                problems.Add($"{device} lacks message {number}.");
            }
        }

        var ids = await cluster.QueryAsync("SELECT COUNT(*) FROM im_sent WHERE sender_id LIKE 'u%'");
        if (ids != book.Sent)
        {
            problems.Add($"The store has {ids} sent ids for {book.Sent} messages.");
        }

        // Each conversation as a member reads it from the store.
        var stored = new int[book.Sent];
        foreach (var conversation in world.Conversations)
        {
            await ReadAsync(conversation, book, problems, stored);
        }

        for (var number = 0; number < book.Sent; number++)
        {
            if (stored[number] != 1)
            {
                problems.Add($"Message {number} is stored {stored[number]} times.");
            }
        }

        problems.AssertNone();
    }

    private static async Task ReadAsync(Conversation conversation, MessageBook book, Problems problems, int[] stored)
    {
        var after = 0L;
        while (true)
        {
            var page = await conversation.Devices[0].Client.SyncAfterAsync(conversation.Id, after, PageEntries);
            foreach (var entry in page.Entries)
            {
                if (entry.ConversationSeq != after + 1)
                {
                    problems.Add($"{conversation.Id} goes on with {entry.ConversationSeq} after {after}.");
                }

                after = entry.ConversationSeq;
                if (entry.Content?.Text is { } text && text.StartsWith(TestDevice.Prefix, StringComparison.Ordinal))
                {
                    var number = int.Parse(text.Split(' ')[0][TestDevice.Prefix.Length..]);
                    stored[number]++;
                    if (book.SeqOf(number) != entry.ConversationSeq)
                    {
                        problems.Add($"Message {number} was acked at {book.SeqOf(number)} and is stored at {entry.ConversationSeq} of {conversation.Id}.");
                    }
                }
            }

            if (!page.HasMore)
            {
                return;
            }
        }
    }
}
