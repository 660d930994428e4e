using Im.Cluster;
using Microsoft.Extensions.Options;

namespace Im;

[OptionsValidator]
internal sealed partial class ImClusterAnnotations : IValidateOptions<ImClusterOptions>;

/// <summary>The annotations, and what two options say together.</summary>
internal sealed class ImClusterOptionsValidator : IValidateOptions<ImClusterOptions>
{
    private readonly ImClusterAnnotations _annotations = new();

    public ValidateOptionsResult Validate(string? name, ImClusterOptions options)
    {
        var result = _annotations.Validate(name, options);
        return result.Failed || options.RenewInterval * 3 <= options.LeaseDuration
            ? result
            : ValidateOptionsResult.Fail(
                $"{nameof(ImClusterOptions)}.{nameof(ImClusterOptions.RenewInterval)} ({options.RenewInterval}) must be at most a third of "
                + $"{nameof(ImClusterOptions.LeaseDuration)} ({options.LeaseDuration}), so that one lost renewal does not cost the lease; set a longer lease.");
    }
}
