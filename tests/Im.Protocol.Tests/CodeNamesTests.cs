using System.Text.RegularExpressions;

namespace Im.Protocol.Tests;

/// <summary>Numbers and names are part of the protocol: a change here breaks clients.</summary>
public sealed partial class CodeNamesTests
{
    private static readonly string[] ErrorNames =
    [
        "0 none",
        "100 internal", "101 storage_unavailable", "102 shutting_down", "103 cluster_unavailable",
        "200 bad_packet", "201 unknown_packet", "202 invalid_argument", "203 rate_limited", "204 frame_too_large",
        "300 not_signed_in", "301 already_signed_in", "302 bad_token", "303 token_expired", "304 cursor_beyond_head",
        "400 unknown_user", "401 unknown_conversation", "402 not_a_member", "403 empty_body", "404 body_too_large",
        "405 client_id_reused", "406 rejected_by_host", "407 interceptor_timeout", "408 too_many_members", "409 dissolved",
        "410 conflict", "411 already_exists", "412 storage_refused", "413 room_forbidden", "414 presence_forbidden", "415 too_many_subscriptions",
        "10000 host",
    ];

    private static readonly string[] CloseNames =
    [
        "1000 normal",
        "3000 shutdown", "3001 slow", "3002 token_expired", "3003 idle", "3004 internal_error", "3005 too_many_connections",
        "3006 sign_in_timeout", "3007 storage_unavailable",
        "3500 bad_token", "3501 bad_packet", "3502 frame_too_large", "3503 not_signed_in", "3504 replaced", "3505 disconnected",
        "3506 bad_cursor", "3507 bad_sign_in",
        "4000 host",
    ];

    [Fact]
    public void ErrorCodesAndTheirNamesStayAsTheyAre() =>
        Assert.Equal(ErrorNames, Enum.GetValues<ImErrorCode>().Select(code => $"{(int)code} {ImErrorCodes.GetName(code)}"));

    [Fact]
    public void CloseCodesAndTheirNamesStayAsTheyAre() =>
        Assert.Equal(CloseNames, Enum.GetValues<ImCloseCode>().Select(code => $"{(int)code} {ImErrorCodes.GetName(code)}"));

    [Fact]
    public void NamesAreSnakeCaseAndUnique()
    {
        string[][] all =
        [
            [.. Enum.GetValues<ImErrorCode>().Select(ImErrorCodes.GetName)],
            [.. Enum.GetValues<ImCloseCode>().Select(ImErrorCodes.GetName)],
        ];
        foreach (var names in all)
        {
            Assert.All(names, name => Assert.Matches(SnakeCase(), name));
            Assert.Equal(names.Length, names.Distinct().Count());
        }
    }

    [Fact]
    public void CodesOfTheHostAndUnknownOnesHaveANameToo()
    {
        Assert.Equal("host", ImErrorCodes.GetName((ImErrorCode)12345));
        Assert.Equal("host", ImErrorCodes.GetName((ImCloseCode)4999));
        Assert.Equal("unknown", ImErrorCodes.GetName((ImErrorCode)999));
        Assert.Equal("unknown", ImErrorCodes.GetName((ImCloseCode)3400));
    }

    [Theory]
    [InlineData(1000, false)]
    [InlineData(3000, true)]
    [InlineData(3499, true)]
    [InlineData(3500, false)]
    [InlineData(4000, false)]
    public void TheRangeOfACloseCodeSaysWhetherToReconnect(int code, bool reconnect) =>
        Assert.Equal(reconnect, ImErrorCodes.ShouldReconnect((ImCloseCode)code));

    [GeneratedRegex("^[a-z]+(_[a-z]+)*$")]
    private static partial Regex SnakeCase();
}
