using System.Data.Common;

namespace Im.Outbox.Internal;

/// <summary>The host's database, apart from a <see cref="DbDataSource"/> that the host's services may have for something else.</summary>
internal sealed record OutboxDataSource(DbDataSource Value);
