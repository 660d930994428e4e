using System.Data.Common;

namespace Im.Storage.MySql.Internal;

/// <summary>The data source that <c>UseMySql</c> was given, apart from whatever else the host registers as <see cref="DbDataSource"/>.</summary>
internal sealed record MySqlDataSource(DbDataSource Value);
