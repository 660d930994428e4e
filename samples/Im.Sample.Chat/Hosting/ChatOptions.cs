using System.ComponentModel.DataAnnotations;

namespace Im.Sample.Chat.Hosting;

/// <summary>The sample's own settings, section <c>Chat</c>.</summary>
internal sealed class ChatOptions
{
    /// <summary>The largest picture that may be uploaded, in bytes.</summary>
    /// <value>Default: 5 MiB.</value>
    [Range(1024, 50 * 1024 * 1024)]
    public int MaxPictureBytes { get; set; } = 5 * 1024 * 1024;

    /// <summary>How many bytes the pictures that one user has uploaded may have together.</summary>
    /// <value>Default: 200 MiB.</value>
    [Range(1024.0, 1024.0 * 1024 * 1024 * 1024)]
    public long PictureQuotaBytes { get; set; } = 200L * 1024 * 1024;

    /// <summary>How many pictures a minute one user may upload.</summary>
    /// <value>Default: 30.</value>
    [Range(1, 10_000)]
    public int MaxPicturesPerMinute { get; set; } = 30;

    /// <summary>How many orders a minute one user may place.</summary>
    /// <value>Default: 30.</value>
    [Range(1, 10_000)]
    public int MaxOrdersPerMinute { get; set; } = 30;

    /// <summary>How many times a minute one address may try to sign in or register.</summary>
    /// <value>Default: 20.</value>
    [Range(1, 10_000)]
    public int MaxSignInsPerMinute { get; set; } = 20;

    /// <summary>How long a token of <c>POST /api/token</c> lets a native client in.</summary>
    /// <value>Default: 15 minutes.</value>
    [Range(typeof(TimeSpan), "00:00:10", "24:00:00")]
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(15);
}
