using Im.Testing.Specification;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>The MySQL stores behind a proxy that can cut a connection while it commits.</summary>
public sealed class MySqlProxiedFixture(MySqlServer server) : MySqlStorageFixture(server), ICommitFaults
{
    private MySqlProxy? _proxy;

    protected override int Port => (_proxy ??= new MySqlProxy(Server.Server.Port)).Port;

    public void FailNextCommit(CommitFault fault) => _proxy!.CutNextCommit(
        fault == CommitFault.BeforeItHappens ? CommitCut.BeforeForwarding : CommitCut.InsteadOfTheAnswer);

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }
    }
}
