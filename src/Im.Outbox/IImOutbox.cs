using System.Data.Common;
using Im.Model;

namespace Im.Outbox;

/// <summary>Sends messages inside the host's own database transaction.</summary>
/// <remarks>
/// <para>
/// A message is a row of the host's database until it is sent. Rolled back, it never existed. Committed, it is stored in its conversation exactly
/// once, even if the process dies at the next instruction: a relay sends the rows that are there and deletes those that are stored, and a message
/// that is sent again after a crash is recognised by its id.
/// </para>
/// <para>
/// Messages of one transaction to one conversation are stored in the order of the calls. Between transactions to one conversation the order is that
/// of the ids, among the rows that the relay finds together: by time of the call in one process, by the nodes' clocks between processes; a
/// transaction that commits late comes after what was sent meanwhile. Across conversations no order is promised.
/// </para>
/// <para>Safe to call from many threads at once; each transaction by one at a time, as ADO.NET demands.</para>
/// </remarks>
public interface IImOutbox
{
    /// <summary>Writes a message into the transaction, and returns its client message id.</summary>
    /// <param name="message">
    /// What to send, persistent only. Its <see cref="OutgoingMessage.ClientMessageId"/> is kept where it is set: then a second row under the same id
    /// stores nothing twice either.
    /// </param>
    /// <param name="transaction">An open transaction on the database of the outbox; the caller commits it.</param>
    /// <param name="cancellationToken">Seen before the statement runs, not while it does, so that the transaction stays usable.</param>
    /// <exception cref="ArgumentException">The message can never be sent: no or two targets, empty, too large, not persistent.</exception>
    /// <exception cref="InvalidOperationException">The transaction has ended, as far as the driver tells (MySql.Data 8.0.16 does not).</exception>
    ValueTask<string> EnqueueAsync(OutgoingMessage message, DbTransaction transaction, CancellationToken cancellationToken = default);

    /// <summary>Writes messages into the transaction, in order, with as few statements as possible, and returns their client message ids.</summary>
    ValueTask<IReadOnlyList<string>> EnqueueAsync(
        IReadOnlyList<OutgoingMessage> messages, DbTransaction transaction, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells the relay that something was committed. Without it the rows are found within <see cref="ImOutboxOptions.PollInterval"/>; so it is also where
    /// another node holds the lease. Cheap; never fails.
    /// </summary>
    void Nudge();
}
