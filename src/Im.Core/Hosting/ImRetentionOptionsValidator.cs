using Microsoft.Extensions.Options;

namespace Im;

/// <summary>Checks the attributes of <see cref="ImRetentionOptions"/>; generated, so it works in trimmed apps.</summary>
[OptionsValidator]
internal sealed partial class ImRetentionOptionsValidator : IValidateOptions<ImRetentionOptions>;
