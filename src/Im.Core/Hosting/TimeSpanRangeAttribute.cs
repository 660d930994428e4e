using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Im;

/// <summary>The bounds of a time span option; none is within them.</summary>
/// <remarks><see cref="RangeAttribute"/> converts its bounds by reflection, which trimmed apps do not have.</remarks>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TimeSpanRangeAttribute(string minimum, string maximum) : ValidationAttribute
{
    public string Minimum { get; } = minimum;

    public string Maximum { get; } = maximum;

    public override bool IsValid(object? value) =>
        value is null
        || (value is TimeSpan time
        && time >= TimeSpan.Parse(Minimum, CultureInfo.InvariantCulture)
        && time <= TimeSpan.Parse(Maximum, CultureInfo.InvariantCulture));

    public override string FormatErrorMessage(string name) => $"The field {name} must be between {Minimum} and {Maximum}.";
}
