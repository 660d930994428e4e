using System.Security.Cryptography;
using Im.Sample.Chat.Data;
using Im.Sample.Chat.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Sample.Chat.Pictures;

/// <summary>Pictures as files named by the SHA-256 that the server computed, so the same picture is stored once.</summary>
internal sealed class PictureStore(DataFolder folder, ChatDatabase database, IOptions<ChatOptions> options, TimeProvider time)
{
    public int MaxBytes => options.Value.MaxPictureBytes;

    /// <summary>Stores what the stream holds. The temporary file is gone afterwards, whatever happens.</summary>
    public async Task<PictureResult> SaveAsync(Stream body, string userId, CancellationToken cancellationToken)
    {
        var temporary = Path.Combine(folder.Pictures, Path.GetRandomFileName() + ".tmp");
        try
        {
            var (size, hash, contentType) = await WriteAsync(body, temporary, cancellationToken);
            if (size > MaxBytes)
            {
                return PictureResult.TooLarge(MaxBytes);
            }

            if (contentType is null)
            {
                return PictureResult.NotAPicture;
            }

            // The row first: a file without one would be nobody's, while a row without its file is repaired by the next upload.
            if (!TryOwn(hash, contentType, size, userId))
            {
                return PictureResult.OverQuota(options.Value.PictureQuotaBytes);
            }

            File.Move(temporary, FilePath(hash), overwrite: true);
            return PictureResult.Stored(hash);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The file and its type, or null.</summary>
    public (string Path, string ContentType)? Find(string hash)
    {
        // The hash becomes a file name: only what is exactly one may.
        if (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower))
        {
            return null;
        }

        var type = database.Query("SELECT content_type FROM pictures WHERE hash = $hash", r => r.GetString(0), ("$hash", hash)).SingleOrDefault();
        var path = FilePath(hash);
        return type is not null && File.Exists(path) ? (path, type) : null;
    }

    // The write lock is taken before the sum is read, so that uploads side by side do not exceed the quota together. A picture counts for everybody
    // who uploaded it, once.
    private bool TryOwn(string hash, string contentType, long size, string userId)
    {
        using var connection = database.Open();
        using var transaction = connection.BeginTransaction(deferred: false);
        ChatDatabase.Execute(
            connection,
            "INSERT OR IGNORE INTO pictures (hash, content_type, size, uploaded_by, created_ms) VALUES ($hash, $type, $size, $user, $now)",
            ("$hash", hash),
            ("$type", contentType),
            ("$size", size),
            ("$user", userId),
            ("$now", time.GetUtcNow().ToUnixTimeMilliseconds()));
        ChatDatabase.Execute(
            connection, "INSERT OR IGNORE INTO picture_owners (hash, user_id) VALUES ($hash, $user)", ("$hash", hash), ("$user", userId));
        var total = ChatDatabase.Query(
            connection,
            "SELECT sum(p.size) FROM picture_owners o JOIN pictures p ON p.hash = o.hash WHERE o.user_id = $user",
            r => r.GetInt64(0),
            ("$user", userId)).Single();
        if (total > options.Value.PictureQuotaBytes)
        {
            return false; // rolled back
        }

        transaction.Commit();
        return true;
    }

    private string FilePath(string hash) => Path.Combine(folder.Pictures, hash);

    private async Task<(long Size, string Hash, string? ContentType)> WriteAsync(
        Stream body, string path, CancellationToken cancellationToken)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        var buffer = new byte[32 * 1024];
        var size = 0L;
        string? type = null;
        while (size <= MaxBytes)
        {
            // The first read is filled up to what telling the type needs.
            var read = await body.ReadAtLeastAsync(buffer, size == 0 ? PictureType.HeadBytes : 1, throwOnEndOfStream: false, cancellationToken);
            if (read == 0)
            {
                break;
            }

            if (size == 0 && (type = PictureType.Sniff(buffer.AsSpan(0, read))) is null)
            {
                break;
            }

            size += read;
            sha.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return (size, Convert.ToHexStringLower(sha.GetHashAndReset()), type);
    }
}
