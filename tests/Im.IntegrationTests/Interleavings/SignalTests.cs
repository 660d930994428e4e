using Im.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Model;

namespace Im.IntegrationTests.Interleavings;

/// <summary>Signals and the sign-in.</summary>
public sealed class SignalTests(InterleavingFixture fixture) : IClassFixture<InterleavingFixture>
{
    [Fact]
    public async Task NoSignalComesBeforeTheAnswerToTheSignIn()
    {
        using var gate = new Gate(fixture.Server.Checkpoints, Checkpoint.SignInRead);
        var signIn = WireClient.SignInAsync(fixture.Server.TcpEndpoint, "signalled");
        await gate.ReachedAsync();
        var result = await fixture.Server.Im.Messages.SendAsync(
            new OutgoingMessage { SenderId = "typist", ToUserId = "signalled", NonPersistent = true, Content = MessageContent.FromText("typing") });
        Assert.Equal(ImSendOutcome.Relayed, result.Outcome);
        gate.Release();

        // Throws where the first packet is another.
        var (client, _) = await signIn;
        await client.DisposeAsync();
    }
}
