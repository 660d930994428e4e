using Im.Model;

namespace Im.Core.Tests.Model;

public sealed class ConversationIdTests
{
    [Theory]
    [InlineData("alice", "bob")]
    [InlineData("a:b", "c")]
    [InlineData("a", "b:c")]
    [InlineData("5:a", "a:5")]
    [InlineData("我", "ü")]
    [InlineData("\U0001F600", "\uFFFD")]
    [InlineData("same", "same")]
    public void ADirectConversationHasOneIdAndItsPartiesCanBeReadBack(string one, string other)
    {
        var id = ConversationId.Direct(one, other);
        Assert.Equal(id, ConversationId.Direct(other, one));
        Assert.True(ConversationId.TryGetParties(id, out var first, out var second));
        Assert.Equal(new[] { one, other }.Order(), new[] { first, second }.Order());
    }

    [Fact]
    public void DifferentPairsHaveDifferentIdsWhateverTheyContain() =>
        Assert.NotEqual(ConversationId.Direct("a:b", "c"), ConversationId.Direct("a", "b:c"));

    [Theory]
    [InlineData("d:3:bob:alice")]
    [InlineData("d:05:alice:bob")]
    [InlineData("d:9:alice:bob")]
    [InlineData("d:-1:alice:bob")]
    [InlineData("d:5:alice:")]
    [InlineData("d:5:alicebob")]
    [InlineData("d:")]
    [InlineData("g:x")]
    [InlineData("")]
    public void AnotherSpellingIsNoId(string id) => Assert.False(ConversationId.TryGetParties(id, out _, out _));

    [Theory]
    [InlineData("alice", true)]
    [InlineData("auth0|5f7", true)]
    [InlineData("", false)]
    [InlineData("$system", false)]
    [InlineData("a\nb", false)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("我我我我我我我我我我我我我我我我我我我我我我", false)]
    public void UserIdsHaveLimits(string id, bool isValid) => Assert.Equal(isValid, Ids.IsUserId(id));

    // As bytes it would be another id's, U+FFFD.
    [Fact]
    public void ALoneSurrogateIsNoUserId() => Assert.False(Ids.IsUserId("a" + (char)0xD800));
}
