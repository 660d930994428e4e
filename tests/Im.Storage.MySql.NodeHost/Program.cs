using Im.Model;
using Im.Storage;
using Im.Storage.Relational;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;
using MySql.Data.MySqlClient;

// NodeHost CONNECTION NODE INSTANCE: takes the node's name, and says "held", or "refused MESSAGE" and ends. Says "lost" when the name is lost.
// Then, line by line: "append ID" appends a message of ann to bob and says "stored SEQ", "duplicate SEQ" or "failed MESSAGE";
// "stop ID" does so too, but says "in transaction" before the commit and goes on at "go". Ends with its input.
var (connection, node, instance) = (args[0], args[1], args[2]);
var hook = new SqlCommitHook();
var services = new ServiceCollection();
services.AddLogging();
services.AddSingleton(hook);
services.AddImServer().UseMySql(MySqlClientFactory.Instance.CreateDataSource(connection), options =>
{
    // Nothing but what is tested ends a transaction here.
    options.IdleTransactionTimeout = TimeSpan.FromMinutes(2);
    options.NodeNameWait = TimeSpan.FromSeconds(1);
});
await using var provider = services.BuildServiceProvider();
var guard = provider.GetRequiredService<INodeGuard>();
try
{
    await guard.AcquireAsync(node, instance, () => Say("lost"), CancellationToken.None);
}
catch (ImStorageException exception)
{
    Say("refused " + exception.Message);
    return;
}

foreach (var initializer in provider.GetServices<IStorageInitializer>())
{
    await initializer.InitializeAsync(CancellationToken.None);
}

var messages = provider.GetRequiredService<IMessageStore>();
var number = await messages.GetLastBatchNumberAsync(node, CancellationToken.None);
using var go = new SemaphoreSlim(0);
Say("held");
while (Console.ReadLine() is { } line)
{
    var (command, id) = line.Split(' ') is [var first, var second] ? (first, second) : (line, "");
    if (command == "go")
    {
        go.Release();
        continue;
    }

    if (command == "stop")
    {
        hook.Before = () =>
        {
            hook.Before = null;
            Say("in transaction");
            go.Wait();
        };
    }

    _ = AppendAsync(id);
}

await guard.ReleaseAsync(CancellationToken.None);

async Task AppendAsync(string id)
{
    try
    {
        var result = (await messages.AppendAsync(Batch(id), CancellationToken.None)).Items[0];
        Say($"{(result.Outcome == AppendOutcome.Stored ? "stored" : "duplicate")} {result.Seq.Value}");
    }
    catch (Exception exception)
    {
        Say("failed " + exception.Message);
    }
}

AppendBatch Batch(string id)
{
    var conversation = ConversationId.Direct("ann", "bob");
    return new AppendBatch
    {
        NodeName = node,
        BatchNumber = ++number,
        Items =
        [
            new AppendItem
            {
                ConversationId = conversation,
                SenderId = "ann",
                ClientMessageId = id,
                Hash = default,
                TimeMs = 1,
                ExpectedVersion = 0,
                Kind = EntryKind.Message,
                Body = new byte[] { 1 },
                Audience = new Audience(["ann", "bob"]),
            },
        ],
        Timelines = [TimelineKey.Conversation(conversation), TimelineKey.Inbox("ann"), TimelineKey.Inbox("bob")],
        ProposedHeads = new[] { ISequenceAllocator.Unknown, ISequenceAllocator.Unknown, ISequenceAllocator.Unknown },
    };
}

static void Say(string line)
{
    Console.Out.WriteLine(line.ReplaceLineEndings(" "));
    Console.Out.Flush();
}
