using System.Text;
using Im.Cluster;
using Im.Devices;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Connections;

/// <summary>From a token to a session that chases the heads of its timelines.</summary>
/// <remarks>
/// The order is what makes it safe: the session stands in the registry, behind, before its timelines are read. What is committed after that is offered
/// and raises known heads; what was committed before is in what is read.
/// </remarks>
internal sealed class SignInHandler(
    UserDirectory users,
    SessionRegistry sessions,
    ConversationReaders readers,
    ClusterSessions cluster,
    CatchUpScheduler scheduler,
    SignInReader reader,
    IDeviceStore devices,
    TimeProvider time,
    ImMetrics metrics,
    Checkpoints checkpoints,
    IOptions<ImServerOptions> options,
    ILogger<SignInHandler> logger)
{
    private const int MaxDeviceFieldBytes = 128;

    private readonly ImServerOptions _options = options.Value;

    public async ValueTask SignInAsync(Connection connection, uint requestId, SignIn request, CancellationToken cancellationToken)
    {
        if (CheckFields(request) is { } problem)
        {
            Refuse(connection, requestId, ImErrorCode.InvalidArgument, problem, ImCloseCode.BadSignIn);
            return;
        }

        var device = ToDevice(request);
        if (await AuthenticateAsync(connection, requestId, request.Token, device, cancellationToken) is not { } authenticated)
        {
            return;
        }

        device = device with { UserId = authenticated.UserId!, LastSignInMs = Now() };
        var session = new Session(connection, device, scheduler, readers, device.LastSignInMs)
        {
            Origin = (request.InstanceId, request.Attempt),
        };
        if (!connection.TryAttach(session, ToMs(authenticated.ExpiresAt)))
        {
            return;
        }

        Register(connection, session);
        try
        {
            if (connection.IsClosed || !await cluster.RegisterAsync(session, cancellationToken) || connection.IsClosed)
            {
                return;
            }

            await checkpoints.ReachAsync(Checkpoint.SignInRegistered, connection.Id);
            var start = await reader.ReadAsync(device.UserId, request, cancellationToken);
            await checkpoints.ReachAsync(Checkpoint.SignInRead, connection.Id);
            await SaveAsync(device, connection, cancellationToken);
            if (!await StartAsync(connection, requestId, session, start))
            {
                return;
            }

            metrics.SignIn("accepted");
            Log.SignedIn(logger, connection.Id, device.UserId, device.DeviceId, connection.Transport.Transport);
        }
        catch (ImException exception)
        {
            var closeCode = exception.Code == ImErrorCode.CursorBeyondHead ? ImCloseCode.BadCursor : ImCloseCode.BadSignIn;
            Refuse(connection, requestId, exception.Code, exception.Message, closeCode);
        }
        catch (ImStorageException exception)
        {
            Log.RequestFailed(logger, requestId, ClientPacket.PacketOneofCase.SignIn, connection.Id, exception);
            Refuse(connection, requestId, ImErrorCode.StorageUnavailable, "The store cannot be read now; reconnect.", ImCloseCode.StorageUnavailable);
        }
        catch
        {
            connection.Close(ImCloseCode.InternalError, "The sign-in failed; the server's log has the details.");
            throw;
        }
    }

    // Whoever can read what is there may do so though the store takes no writes.
    private async ValueTask SaveAsync(ImDevice device, Connection connection, CancellationToken cancellationToken)
    {
        try
        {
            await devices.SaveAsync(device, cancellationToken);
        }
        catch (ImStorageException exception)
        {
            Log.DeviceNotSaved(logger, connection.Id, exception);
        }
    }

    public async ValueTask RefreshAsync(Connection connection, uint requestId, string token, CancellationToken cancellationToken)
    {
        var session = connection.Session!;
        var result = RefuseIfOver(
            await users.AuthenticateAsync(ToRequest(connection, token, session.Device with { UserId = "" }, principal: false), cancellationToken));
        if (result.UserId != session.UserId)
        {
            connection.ReplyError(
                requestId,
                result.UserId is null ? result.Code : ImErrorCode.BadToken,
                result.UserId is null ? result.Message : "The token is another user's; open another connection for it.");
            return;
        }

        connection.Extend(ToMs(result.ExpiresAt));
        connection.Reply(requestId, new ServerPacket { TokenRefreshed = new TokenRefreshed { TokenExpiresAtMs = ToMs(result.ExpiresAt) } });
    }

    private async ValueTask<AuthenticationResult?> AuthenticateAsync(
        Connection connection, uint requestId, string token, ImDevice device, CancellationToken cancellationToken)
    {
        AuthenticationResult result;
        try
        {
            result = RefuseIfOver(await users.AuthenticateAsync(ToRequest(connection, token, device, principal: true), cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.UserProviderFailed(logger, connection.Id, exception);
            Refuse(connection, requestId, ImErrorCode.Internal, "The host failed to check the token; reconnect.", ImCloseCode.InternalError);
            return null;
        }

        if (result.UserId is not null)
        {
            return result;
        }

        // An expired token is not wrong: the client gets another one and reconnects.
        var closeCode = result.Code == ImErrorCode.TokenExpired ? ImCloseCode.TokenExpired : ImCloseCode.BadToken;
        Refuse(connection, requestId, result.Code, result.Message, closeCode);
        return null;
    }

    // A provider may accept a token without looking at its expiry.
    private AuthenticationResult RefuseIfOver(AuthenticationResult result) =>
        result.ExpiresAt is { } expiresAt && expiresAt <= time.GetUtcNow() ? AuthenticationResult.Expired() : result;

    private void Register(Connection connection, Session session)
    {
        var (ended, isFull) = sessions.Add(session, _options.MaxSessionsPerUser);
        if (isFull)
        {
            connection.Close(ImCloseCode.TooManyConnections, $"This user has {_options.MaxSessionsPerUser} sessions (MaxSessionsPerUser); sign out of one.", ReconnectDelay());
        }

        if (ended is not null && ended != session)
        {
            session.InheritFrom(ended);
        }

        ended?.Connection.Close(ImCloseCode.Replaced, "This device signed in on another connection.");
        if (connection.IsClosed)
        {
            // It was closed before it could be found here.
            session.Close();
            sessions.Remove(session);
            cluster.Remove(session);
        }
    }

    private TimeSpan ReconnectDelay() => _options.ReconnectSpread * Random.Shared.NextDouble();

    private void Refuse(Connection connection, uint requestId, ImErrorCode code, string message, ImCloseCode closeCode)
    {
        metrics.SignIn(ImErrorCodes.GetName(code));
        Log.SignInRefused(logger, connection.Id, code, message);
        connection.Fail(requestId, code, message, closeCode);
    }

    // The reply, the pages of a snapshot as fast as they are read, and the session goes on from there. False: the connection was closed meanwhile.
    private async ValueTask<bool> StartAsync(Connection connection, uint requestId, Session session, SignInStart start)
    {
        var last = new ServerPacket { RequestId = requestId, SignedIn = ToReply(connection, session, start) };
        if (start.Snapshot is not null)
        {
            foreach (var page in SnapshotPages.Create(start.Snapshot, _options.MaxPageBytes))
            {
                connection.Outbox.Enqueue(last);
                await connection.WaitForRoomAsync();
                last = new ServerPacket { Snapshot = page };
            }
        }

        if (connection.IsClosed)
        {
            return false;
        }

        session.Open(last, start.InboxCursor, start.InboxHead, start.Timelines);
        return true;
    }

    private SignedIn ToReply(Connection connection, Session session, SignInStart start) => new()
    {
        UserId = session.UserId,
        DeviceId = session.Device.DeviceId,
        ConnectionId = connection.Id,
        Generation = start.Generation,
        Reset = start.Snapshot is not null,
        InboxHead = start.InboxHead,
        ServerTimeMs = Now(),
        IdleTimeoutMs = (int)_options.IdleTimeout.TotalMilliseconds,
        MaxFrameBytes = _options.MaxFrameBytes,
        TokenExpiresAtMs = connection.ExpiresAtMs,
        Node = _options.NodeName,
    };

    private string? CheckFields(SignIn request)
    {
        if (!Ids.IsId(request.DeviceId))
        {
            return $"signIn.deviceId must be 1–{Ids.MaxBytes} bytes without control characters, and stay the same on this device.";
        }

        if (request.InboxCursor < 0 || request.ConversationCursors.Any(cursor => cursor.ConversationSeq < 0))
        {
            return "A cursor is negative.";
        }

        if (request.InstanceId.Length > 0 && !Ids.IsId(request.InstanceId))
        {
            return $"signIn.instanceId must be at most {Ids.MaxBytes} bytes without control characters.";
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        if (request.ConversationCursors.Any(cursor => cursor.ConversationId.Length is 0 or > ConversationId.MaxBytes || !known.Add(cursor.ConversationId)))
        {
            return "signIn.conversationCursors names a conversation twice, or none.";
        }

        var fields = request.Device;
        return fields is not null
            && new[] { fields.Type, fields.Brand, fields.Model, fields.Os, fields.ClientVersion }.Any(field => Encoding.UTF8.GetByteCount(field) > MaxDeviceFieldBytes)
            ? $"A field of signIn.device is longer than {MaxDeviceFieldBytes} bytes."
            : null;
    }

    private static ImDevice ToDevice(SignIn request) => new()
    {
        UserId = "",
        DeviceId = request.DeviceId,
        Type = request.Device?.Type ?? "",
        Brand = request.Device?.Brand ?? "",
        Model = request.Device?.Model ?? "",
        Os = request.Device?.Os ?? "",
        ClientVersion = request.Device?.ClientVersion ?? "",
    };

    private static AuthenticationRequest ToRequest(Connection connection, string token, ImDevice device, bool principal) => new()
    {
        Token = token,
        Device = device,
        Transport = connection.Transport.Transport,
        RemoteAddress = connection.Transport.RemoteAddress,
        Principal = principal ? connection.Transport.User : null,
    };

    private static long ToMs(DateTimeOffset? expiresAt) => expiresAt?.ToUnixTimeMilliseconds() ?? 0;

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
