using Microsoft.Extensions.Options;

namespace Im;

/// <summary>Checks the attributes of <see cref="ImRoomOptions"/>; generated, so it works in trimmed apps.</summary>
[OptionsValidator]
internal sealed partial class ImRoomOptionsValidator : IValidateOptions<ImRoomOptions>;
