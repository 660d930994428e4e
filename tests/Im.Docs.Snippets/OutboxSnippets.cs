using System.Data.Common;
using Im.Model;
using Im.Outbox;

namespace Im.Docs.Snippets;

/// <summary>Messages in the host's own transaction.</summary>
internal static class OutboxSnippets
{
    public static void Add(WebApplicationBuilder builder, DbDataSource dataSource)
    {
        builder.Services.AddImServer()
            .AddUserProvider<DemoUsers>()
            .AddImOutbox(dataSource);           // the host's own database; without an argument the DbDataSource of the services
        builder.Services.AddHealthChecks().AddImOutbox();
    }

    public static async Task SaveOrderAsync(DbDataSource dataSource, IImOutbox outbox, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await InsertOrderAsync(connection, transaction);
        await outbox.EnqueueAsync(new OutgoingMessage
        {
            SenderId = "$orders",
            ToUserId = "bob",
            Content = MessageContent.FromText("Your order was taken."),
        }, transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Nudge();                         // sent at once; otherwise within a second
    }

    public static void Print()
    {
        Console.WriteLine(ImOutboxSchema.Script(ImOutboxDialect.PostgreSql));
    }

    private static Task InsertOrderAsync(DbConnection connection, DbTransaction transaction) => Task.CompletedTask;
}
