using Im.Core.Tests.Groups;
using Im.Storage.MySql.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Im.Storage.MySql.Tests;

/// <summary>A group of 100,000 on MariaDB.</summary>
[Collection(MySqlCollection.Name)]
public sealed class MySqlLargeGroupTests(MySqlServer server, ITestOutputHelper output)
{
    [Fact]
    public async Task AGroupOfAHundredThousandIsNeverLoadedWhole()
    {
        await using var database = new TestDatabase(server.Server);
        await LargeGroupRules.AGroupOfAHundredThousandIsNeverLoadedWhole(
            im => im.UseMySql(MySqlStores.DataSource(database.ConnectionString)), (_, sql) => Task.FromResult(database.Count(sql)), output);
        MySqlStores.ClosePool(database.ConnectionString);
    }

    [Fact]
    public async Task NothingIsLostOrLeakedWhileAGroupChangesOnTwoNodes()
    {
        await using var database = new TestDatabase(server.Server);
        await TwoNodesRules.NothingIsLostOrLeakedWhileAGroupChanges(im => im.UseMySql(MySqlStores.DataSource(database.ConnectionString)));
        MySqlStores.ClosePool(database.ConnectionString);
    }
}
