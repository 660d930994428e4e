using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>Writes rows with the host's transaction: plain inserts that every database understands.</summary>
internal sealed class TransactionalOutbox(
    OutboxIds ids, WakeUp wakeUp, TimeProvider time, IOptions<ImOutboxOptions> options, IOptions<ImServerOptions> server) : IImOutbox
{
    // Bound the size of one statement; three parameters a row, far below every database's limit.
    private const int MaxRowsPerInsert = 100;
    private const int MaxCharactersPerInsert = 1024 * 1024;

    private readonly string _insert = $"INSERT INTO {options.Value.TableName} (kind, id, time_ms, payload, error) VALUES ";

    public async ValueTask<string> EnqueueAsync(OutgoingMessage message, DbTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return (await EnqueueAsync([message], transaction, cancellationToken))[0];
    }

    public async ValueTask<IReadOnlyList<string>> EnqueueAsync(
        IReadOnlyList<OutgoingMessage> messages, DbTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(transaction);
        var connection = transaction.Connection ?? throw new InvalidOperationException(
            "The transaction has ended; call EnqueueAsync before it is committed or rolled back.");

        // All are checked before the first is written.
        for (var i = 0; i < messages.Count; i++)
        {
            Check(messages[i]);
        }

        var clientMessageIds = new string[messages.Count];
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var first = 0; first < messages.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            first = Fill(command, messages, first, now, clientMessageIds);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }

        return clientMessageIds;
    }

    public void Nudge() => wakeUp.Set();

    // Returns the index after the last message that is in the statement.
    private int Fill(DbCommand command, IReadOnlyList<OutgoingMessage> messages, int first, long now, string[] clientMessageIds)
    {
        var sql = new StringBuilder(_insert);
        var characters = 0;
        var index = first;
        for (; index < messages.Count && index - first < MaxRowsPerInsert && characters < MaxCharactersPerInsert; index++)
        {
            var id = ids.Next();
            var payload = OutboxPayload.Write(messages[index]);
            clientMessageIds[index] = messages[index].ClientMessageId ?? id;
            characters += payload.Length;
            var n = index - first;
            sql.Append(CultureInfo.InvariantCulture, $"{(n == 0 ? "" : ", ")}(1, @i{n}, @t{n}, @p{n}, NULL)");
            OutboxTable.Add(command, $"@i{n}", DbType.AnsiString, id);
            OutboxTable.Add(command, $"@t{n}", DbType.Int64, now);
            OutboxTable.Add(command, $"@p{n}", DbType.AnsiString, payload);
        }

        command.CommandText = sql.ToString();
        return index;
    }

    // What no server would ever take fails in the host's own call, where somebody can see it. Everything else is for the relay to find out.
    private void Check(OutgoingMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (string.IsNullOrEmpty(message.ConversationId) == string.IsNullOrEmpty(message.ToUserId))
        {
            throw new ArgumentException("Set ConversationId or ToUserId, and not both.", nameof(message));
        }

        if (message.NonPersistent)
        {
            throw new ArgumentException(
                "A message in the outbox is stored, so it cannot be NonPersistent; send it with IImMessages after the commit.", nameof(message));
        }

        if (string.IsNullOrEmpty(message.SenderId) || message.ClientMessageId is "")
        {
            throw new ArgumentException("SenderId must be set, and ClientMessageId null or not empty.", nameof(message));
        }

        var content = message.Content ?? throw new ArgumentException("Content must be set.", nameof(message));
        var wire = new Content { ContentType = content.ContentType, Text = content.Text, Data = Google.Protobuf.ByteString.CopyFrom(content.Data.Span) };
        if (!content.Mentions.IsDefaultOrEmpty)
        {
            wire.Mentions.AddRange(content.Mentions);
        }

        if (content.ContentType.Length == 0 || (content.Text.Length == 0 && content.Data.IsEmpty))
        {
            throw new ArgumentException("The content needs a ContentType, and text or data.", nameof(message));
        }

        if (wire.CalculateSize() > server.Value.MaxBodyBytes)
        {
            throw new ArgumentException(
                $"The content is {wire.CalculateSize()} bytes; the limit (ImServerOptions.MaxBodyBytes) is {server.Value.MaxBodyBytes}.", nameof(message));
        }
    }
}
