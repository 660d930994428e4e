using System.Buffers;
using Google.Protobuf;
using Im.Connections;
using Im.Protocol;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Core.Tests.Connections;

/// <summary>What a connection may cost before anybody knows whose it is.</summary>
public sealed class BeforeSignInTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task BehindASignInThatIsCheckedReadingPausesAndGoesOnWithTheAnswer()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddImServer().AddUserProvider<SlowUsers>();
        builder.Services.AddSingleton<Answer>();
        using var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience);
        var transport = new FakeTransport();
        var handler = host.Services.GetRequiredService<ConnectionRegistry>().Accept(transport);

        Assert.True(handler.Receive(Write(new ClientPacket { SignIn = new SignIn { Token = "alice", DeviceId = "d" } })));
        Assert.False(handler.Receive(Write(new ClientPacket { RequestId = 2, Ping = new Ping() })));
        Assert.False(transport.Resumed.Task.IsCompleted);
        host.Services.GetRequiredService<Answer>().Given.SetResult();
        await transport.Resumed.Task.WaitAsync(Patience);
        Assert.True(handler.Receive(Write(new ClientPacket { RequestId = 3, DeviceAck = new DeviceAck() })));
        handler.Disconnected(null);
        await host.StopAsync().WaitAsync(Patience);
    }

    private static ReadOnlySequence<byte> Write(ClientPacket packet) => new(packet.ToByteArray());

    private sealed class Answer
    {
        public TaskCompletionSource Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class SlowUsers(Answer answer) : IUserProvider
    {
        public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            await answer.Given.Task.WaitAsync(cancellationToken);
            return AuthenticationResult.Success(request.Token);
        }

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }

    private sealed class FakeTransport : TransportConnection
    {
        public TaskCompletionSource Resumed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override string Transport => "fake";

        public override ImCodec Codec => ImCodec.Protobuf;

        public override string RemoteAddress => "";

        public override void RequestWrite()
        {
        }

        public override void ResumeReading() => Resumed.TrySetResult();

        public override void Close(ImCloseCode code, string reason)
        {
        }
    }
}
