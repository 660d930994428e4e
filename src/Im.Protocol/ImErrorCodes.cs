using System.Collections.Frozen;
using System.Text.Json;

namespace Im;

/// <summary>The names of error and close codes as they stand on the wire, in logs and in metric tags.</summary>
public static class ImErrorCodes
{
    private static readonly FrozenDictionary<ImErrorCode, string> Errors =
        Enum.GetValues<ImErrorCode>().ToFrozenDictionary(code => code, code => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString()));

    private static readonly FrozenDictionary<ImCloseCode, string> Closes =
        Enum.GetValues<ImCloseCode>().ToFrozenDictionary(code => code, code => JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString()));

    /// <summary>The code's name in snake_case, for example <c>not_a_member</c>; <c>host</c> for a host's own code.</summary>
    public static string GetName(ImErrorCode code) =>
        code >= ImErrorCode.FirstHostCode ? "host" : Errors.GetValueOrDefault(code, "unknown");

    /// <summary>The code's name in snake_case, for example <c>replaced</c>; <c>host</c> for a host's own code.</summary>
    public static string GetName(ImCloseCode code) =>
        code >= ImCloseCode.FirstHostCode ? "host" : Closes.GetValueOrDefault(code, "unknown");

    /// <summary>Whether a client reconnects by itself after this close code.</summary>
    public static bool ShouldReconnect(ImCloseCode code) => (int)code is < 3500 and not (int)ImCloseCode.Normal;
}
