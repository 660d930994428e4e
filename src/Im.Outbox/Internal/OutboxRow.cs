namespace Im.Outbox.Internal;

/// <summary>A waiting row.</summary>
internal readonly record struct OutboxRow(string Id, long TimeMs, string Payload);

/// <summary>Waiting rows in id order.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="IsLast">Nothing stands after them.</param>
/// <param name="IsCut">They are fewer than asked for because they are large.</param>
internal sealed record OutboxPage(IReadOnlyList<OutboxRow> Rows, bool IsLast, bool IsCut);

/// <summary>A row that is not to be sent again.</summary>
internal readonly record struct RefusedRow(string Id, string Error);
