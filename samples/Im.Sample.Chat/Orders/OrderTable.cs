using System.Data.Common;
using Im.Model;
using Im.Outbox;
using Im.Sample.Chat.Data;

namespace Im.Sample.Chat.Orders;

/// <summary>Saves an order and the message that tells of it in one transaction: there is never one without the other.</summary>
internal sealed class OrderTable(ChatDatabase database, IImOutbox outbox, TimeProvider time)
{
    public async Task<PlacedOrder> AddAsync(string userId, string toUserId, string item, CancellationToken cancellationToken)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var id = await InsertAsync(transaction, userId, toUserId, item, cancellationToken);
        await outbox.EnqueueAsync(new OutgoingMessage
        {
            SenderId = userId,
            ToUserId = toUserId,
            Content = MessageContent.FromText($"Order {id}: {item}"),
        }, transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        // Were the process to end here, the message would be sent at the next start.
        outbox.Nudge();
        return new PlacedOrder(id, item);
    }

    private async Task<long> InsertAsync(
        DbTransaction transaction, string userId, string toUserId, string item, CancellationToken cancellationToken)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            INSERT INTO orders (user_id, to_user_id, item, created_ms) VALUES ($user, $to, $item, $now);
            SELECT last_insert_rowid();
            """;
        foreach (var (name, value) in new (string, object)[]
        {
            ("$user", userId), ("$to", toUserId), ("$item", item), ("$now", time.GetUtcNow().ToUnixTimeMilliseconds()),
        })
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }

        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>An order that is saved.</summary>
internal sealed record PlacedOrder(long Id, string Item);
