namespace Im.Sample.Chat.Pictures;

/// <summary>What became of an upload: its hash, or why not.</summary>
internal readonly record struct PictureResult(int Status, string Hash, string Error)
{
    public static readonly PictureResult NotAPicture =
        new(StatusCodes.Status415UnsupportedMediaType, "", "Only PNG, JPEG, GIF and WebP pictures can be sent.");

    public static PictureResult TooLarge(long maxBytes) => new(
        StatusCodes.Status413PayloadTooLarge, "", $"A picture may have at most {Megabytes(maxBytes)}.");

    public static PictureResult OverQuota(long maxBytes) => new(
        StatusCodes.Status413PayloadTooLarge, "", $"Your pictures may have {Megabytes(maxBytes)} together, and this one does not fit any more.");

    public static PictureResult Stored(string hash) => new(StatusCodes.Status200OK, hash, "");

    private static string Megabytes(long bytes) => $"{bytes / (1024 * 1024.0):0.#} MB";
}
