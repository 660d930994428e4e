using Im.Administration;
using Microsoft.Extensions.Options;

namespace Im;

/// <summary>Checks the attributes of <see cref="ImAdminOptions"/>; generated, so it works in trimmed apps.</summary>
[OptionsValidator]
internal sealed partial class ImAdminOptionsValidator : IValidateOptions<ImAdminOptions>;
