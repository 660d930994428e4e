using Microsoft.Extensions.Options;

namespace Im;

/// <summary>Checks the attributes of <see cref="ImPresenceOptions"/>; generated, so it works in trimmed apps.</summary>
[OptionsValidator]
internal sealed partial class ImPresenceOptionsValidator : IValidateOptions<ImPresenceOptions>;
