using System.Data.Common;
using System.Globalization;
using Im.Model;

namespace Im.Outbox.CrashHost;

/// <summary>The host's business: orders, every third of which is rolled back; each tells its user about itself in the same transaction.</summary>
/// <remarks>
/// Order <c>i</c> belongs to writer <c>i mod writers</c> and to user <c>i mod Users</c>; Users is a multiple of the writers, so a user's orders are
/// made by one writer, one after the other. After a crash a writer goes on behind its last committed order.
/// </remarks>
internal sealed class Orders(DbDataSource database, IImOutbox outbox, int writers)
{
    public const int Users = 20;

    public static bool IsRolledBack(int order) => order % 3 == 0;

    public static string UserOf(int order) => $"user{order % Users}";

    /// <summary>Makes a writer's orders up to a number, exclusive.</summary>
    public async Task WriteAsync(int writer, int until, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        for (var order = await NextAsync(connection, writer); order < until; order += writers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = $"INSERT INTO orders (id, writer) VALUES ({order}, {writer})";
            await command.ExecuteNonQueryAsync(cancellationToken);
            var message = new OutgoingMessage { SenderId = "$orders", ToUserId = UserOf(order), Content = MessageContent.FromText($"{order}") };
            await outbox.EnqueueAsync(message, transaction, cancellationToken);
            if (IsRolledBack(order))
            {
                await transaction.RollbackAsync(cancellationToken);
            }
            else
            {
                await transaction.CommitAsync(cancellationToken);
                outbox.Nudge();
            }
        }
    }

    private async Task<int> NextAsync(DbConnection connection, int writer)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT MAX(id) FROM orders WHERE writer = {writer}";
        var last = await command.ExecuteScalarAsync();
        return last is null or DBNull ? writer : Convert.ToInt32(last, CultureInfo.InvariantCulture) + writers;
    }
}
