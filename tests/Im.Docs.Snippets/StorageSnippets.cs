using System.Data.Common;

namespace Im.Docs.Snippets;

/// <summary>The choice of a store.</summary>
internal static class StorageSnippets
{
    public static void Choose(IImServerBuilder im, DbDataSource dataSource)
    {
        im.UseSqlite("im.db");                                         // one server
        im.UseMySql(dataSource);                                       // MySQL 8, MariaDB 10.11+
    }

    public static void Several(IImServerBuilder im, DbDataSource dataSource)
    {
        im.UseMySql(dataSource).UseRedis("redis1:6379,password=…");
    }
}
