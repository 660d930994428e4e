using System.Text;

namespace Im.Sample.Chat.Accounts;

/// <summary>What a user name, a display name and a password may be. Each method returns what is wrong, or null.</summary>
internal static class AccountRules
{
    private const int MinPassword = 8;
    private const int MaxPassword = 128;

    private static readonly HashSet<string> TooCommon = new(StringComparer.OrdinalIgnoreCase)
    {
        "12345678", "123456789", "1234567890", "password", "password1", "passw0rd", "qwertyui", "qwerty123", "11111111", "iloveyou",
        "00000000", "abcdefgh", "abc12345", "letmein1", "sunshine", "football", "baseball", "trustno1",
    };

    public static string? CheckName(string? name) =>
        name is not { Length: >= 3 and <= 32 } || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? "A user name has 3 to 32 letters, digits, dots, dashes or underscores."
            : null;

    public static string? CheckDisplayName(string? name) =>
        string.IsNullOrWhiteSpace(name) || name.Length > 40 || name.EnumerateRunes().Any(IsHidden)
            ? "The name that others see has 1 to 40 characters."
            : null;

    public static string? CheckPassword(string? password, string name) => password switch
    {
        not { Length: >= MinPassword } => $"The password needs at least {MinPassword} characters.",
        { Length: > MaxPassword } => $"The password may have at most {MaxPassword} characters.",
        _ when password.Contains(name, StringComparison.OrdinalIgnoreCase) => "The password must not contain the user name.",
        _ when TooCommon.Contains(password) || password.Distinct().Count() < 4 => "This password is too easy to guess; take a longer phrase.",
        _ => null,
    };

    // Control and direction characters could make one name look like another.
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is
        System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format;
}
