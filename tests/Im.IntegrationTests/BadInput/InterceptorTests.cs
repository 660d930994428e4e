using System.Collections.Concurrent;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.BadInput;

/// <summary>The host's interceptors: their say counts, their failures are contained, and a stored message is never shown to them again.</summary>
public sealed class InterceptorTests
{
    public static TheoryData<Wire> AllWires => new(Wire.Tcp, Wire.WebSocket, Wire.Json);

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task EachAnswerOfAnInterceptorReachesTheSender(Wire wire)
    {
        await using var server = await StartAsync();
        await using var alice = await server.SignInAsync(wire, "alice");
        await using var bob = await server.SignInAsync(wire, "bob");

        await alice.AskForErrorAsync(Send("m1", "reject"), ImErrorCode.RejectedByHost);
        var custom = (await alice.AskAsync(Send("m2", "reject 10001"))).Error;
        await alice.AskForErrorAsync(Send("m3", "throw"), ImErrorCode.Internal);
        await alice.AskForErrorAsync(Send("m4", "hang"), ImErrorCode.InterceptorTimeout);
        await alice.AskForErrorAsync(Send("m5", "grow"), ImErrorCode.BodyTooLarge);
        Assert.NotNull((await alice.AskAsync(Send("m6", "replace"))).SendAck);

        Assert.Equal(10001, custom.Code);
        var entry = Assert.Single((await bob.WaitForAsync(ServerPacket.PacketOneofCase.Push)).Push.Entries);
        Assert.Equal("replaced", entry.Content.Text);
        Assert.Equal(1, entry.ConversationSeq);
        Assert.Single(server.Logs.Errors, line => line.Contains("Interceptor", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task AResendIsNotShownAgainAndIsAnsweredBeforeAnyRefusal(Wire wire)
    {
        await using var server = await StartAsync();
        var seen = server.Services.GetServices<IMessageInterceptor>().OfType<Moody>().Single().Seen;
        await server.Im.Groups.CreateAsync(
            new NewGroup { GroupId = "g", Info = new Model.GroupInfo("G"), MemberIds = ["alice", "bob"], ActorId = "$test" });
        await using var alice = await server.SignInAsync(wire, "alice");
        var message = Send("m1", "replace", conversation: "g:g");
        var first = (await alice.AskAsync(message.Clone())).SendAck;

        var again = (await alice.AskAsync(message.Clone())).SendAck;
        await server.Im.Groups.RemoveMembersAsync("g", ["alice"], "$test");
        var removed = (await alice.AskAsync(message.Clone())).SendAck;
        await server.Im.Groups.DissolveAsync("g", "$test");
        var dissolved = (await alice.AskAsync(message.Clone())).SendAck;
        await alice.AskForErrorAsync(Send("m1", "other", conversation: "g:g"), ImErrorCode.ClientIdReused);
        await alice.AskForErrorAsync(Send("m2", "replace", conversation: "g:g"), ImErrorCode.Dissolved);

        Assert.Single(seen, "m1");
        foreach (var answer in new[] { again, removed, dissolved })
        {
            Assert.Equal(SendResult.Duplicate, answer.Result);
            Assert.Equal(first.ConversationSeq, answer.ConversationSeq);
            Assert.Equal(first.TimeMs, answer.TimeMs);
        }
    }

    [Fact]
    public async Task AMessageThatWasRefusedMayBeSentAgainUnderItsId()
    {
        await using var server = await StartAsync();
        await using var alice = await server.SignInAsync(Wire.Tcp, "alice");
        await alice.AskForErrorAsync(Send("m1", "throw"), ImErrorCode.Internal);

        Assert.Equal(SendResult.Stored, (await alice.AskAsync(Send("m1", "replace"))).SendAck.Result);
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(
        options => options.InterceptorTimeout = TimeSpan.FromMilliseconds(100), im => im.AddMessageInterceptor<Moody>());

    private static ClientPacket Send(string id, string text, string? conversation = null)
    {
        var send = new Send { ClientMessageId = id, Content = new Content { ContentType = "text", Text = text } };
        if (conversation is null)
        {
            send.UserId = "bob";
        }
        else
        {
            send.ConversationId = conversation;
        }

        return new ClientPacket { Send = send };
    }

    private sealed class Moody : IMessageInterceptor
    {
        public ConcurrentQueue<string> Seen { get; } = new();

        public async ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken)
        {
            Seen.Enqueue(message.ClientMessageId);
            switch (message.Content.Text)
            {
                case "reject":
                    return InterceptionResult.Reject("No.");
                case "reject 10001":
                    return InterceptionResult.Reject("No.", (ImErrorCode)10001);
                case "throw":
                    throw new InvalidOperationException("An interceptor's failure.");
                case "hang":
                    // It ignores its token.
                    await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
                    break;
                case "grow":
                    return InterceptionResult.Replace(MessageContent.FromText(new string('x', 65 * 1024)));
                case "replace":
                    return InterceptionResult.Replace(MessageContent.FromText("replaced"));
            }

            return InterceptionResult.Continue;
        }
    }
}
