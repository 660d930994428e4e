using System.Collections.Immutable;
using System.Text.Json;
using Im.Client.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Im.Client;

/// <summary>Keeps cursors in a small JSON file.</summary>
/// <remarks>
/// A save writes a file beside it, flushes it and renames it over the old one, so a crash leaves the old cursors or the new ones. A missing
/// file means no cursors. A file that cannot be understood is logged and means no cursors too: the device then starts with a reset.
/// One object and one process a file.
/// </remarks>
public sealed class FileCursorStore : ICursorStore
{
    private readonly string _path;
    private readonly ILogger _logger;

    /// <summary>Creates a store on a file; its folder is created when it is missing.</summary>
    public FileCursorStore(string path, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
        _logger = logger ?? NullLogger.Instance;
    }

    /// <inheritdoc/>
    public async ValueTask<ImCursors> LoadAsync(CancellationToken cancellationToken)
    {
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(_path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ImCursors.None;
        }

        try
        {
            var file = JsonSerializer.Deserialize(bytes, CursorFileContext.Default.CursorFile);
            if (file is { Generation.Length: > 0, UserId: not null, InboxSeq: >= 0, Conversations: not null }
                && file.Conversations.Values.All(c => c is { Seq: >= 0, EndSeq: >= 0 }))
            {
                return new ImCursors
                {
                    UserId = file.UserId,
                    Generation = file.Generation,
                    InboxSeq = file.InboxSeq,
                    Conversations = file.Conversations.ToImmutableDictionary(StringComparer.Ordinal),
                };
            }

            Log.CursorFileUnusable(_logger, _path, null);
        }
        catch (JsonException e)
        {
            Log.CursorFileUnusable(_logger, _path, e);
        }

        return ImCursors.None;
    }

    /// <inheritdoc/>
    public async ValueTask SaveAsync(ImCursors cursors, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cursors);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(
            new CursorFile(cursors.UserId, cursors.Generation, cursors.InboxSeq, new(cursors.Conversations)), CursorFileContext.Default.CursorFile);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        var temporary = _path + ".tmp";
        var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
    }
}
