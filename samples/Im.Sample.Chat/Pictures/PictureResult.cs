namespace Im.Sample.Chat.Pictures;

/// <summary>What became of an upload.</summary>
internal readonly record struct PictureResult(int Status, string Hash)
{
    public static readonly PictureResult TooLarge = new(StatusCodes.Status413PayloadTooLarge, "");

    public static readonly PictureResult NotAPicture = new(StatusCodes.Status415UnsupportedMediaType, "");

    public static PictureResult Stored(string hash) => new(StatusCodes.Status200OK, hash);
}
