using System.Diagnostics;
using Im.Client.Internal;
using Im.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Im.Client;

/// <summary>A device's connection to an Im.Embedded server. It keeps itself connected until it is disposed or the server closes it for good.</summary>
/// <remarks>
/// <para>Thread-safe; only <see cref="ReadAsync"/> has one reader at a time.</para>
/// <para>Promises: entries of a timeline come in order, each once, none missing, over reconnects; after a crash of the process those come
/// again whose cursors were not saved. A persistent send completes with its ack or fails; it is resent under the same client message id until
/// then, older sends before newer ones, and the server stores it once.</para>
/// <para>While the event buffer is full nothing is read from the socket. If the application waits for an answer then, the client reads on
/// for it and has the server push again, over a new connection, what did not fit: a loop over <see cref="ReadAsync"/> may await sends, though
/// another task that sends costs less when there is much to read.</para>
/// </remarks>
public sealed partial class ImClient : IAsyncDisposable
{
    private readonly ImClientOptions _options;
    private readonly ILogger _logger;
    private readonly Outbox _outbox;
    private readonly EventStream _events;
    private readonly CursorKeeper _keeper;
    private readonly SessionHost _host;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _signedIn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ImCloseReason> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Protects the three fields below.</summary>
    private readonly Lock _gate = new();
    private Task? _run;
    private Task? _keeping;
    private Task? _disposing;
    private volatile ImClientState _state;
    private volatile string? _userId;

    /// <summary>Creates a client; <see cref="ConnectAsync"/> starts it. Throws where an option is not valid.</summary>
    public ImClient(ImClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options.Copy();
        _logger = _options.Logger ?? NullLogger.Instance;
        _events = new EventStream(_options.EventBufferSize, _options.TimeProvider);
        _outbox = new Outbox(_options.MaxInFlight, _options.RequestTimeout, _options.TimeProvider) { Asked = _events.Wake };
        _host = new SessionHost(_options, _logger, _outbox, _events) { SignedIn = OnSignedIn };
        _keeper = new CursorKeeper(_options, _events, _host.RequestAck, _logger);
        _events.Finished = _keeper.OnFinished;
    }

    /// <summary>Raised on the connection's own loop, in order. A handler must not block; what it throws is logged.</summary>
    public event EventHandler<ImClientStateChangedEventArgs>? StateChanged;

    /// <summary>Where the client stands now.</summary>
    public ImClientState State => _state;

    /// <summary>Who the server says this is; null before the first sign-in.</summary>
    public string? UserId => _userId;

    /// <summary>Completes, never faults, when the client has ended: disposed, or closed for good.</summary>
    public Task<ImCloseReason> Closed => _closed.Task;

    /// <summary>A random client message id of 128 bits.</summary>
    public static string NewMessageId() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    /// <summary>Starts the client and completes when it is signed in for the first time.</summary>
    /// <remarks>
    /// A server that cannot be reached is tried again until the token is cancelled; cancelling stops the waiting, not the client, and a later
    /// call waits again. Throws <see cref="ImClientException"/> for a refusal that is final.
    /// </remarks>
    public Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposing is not null, this);
            _keeping ??= _keeper.RunAsync(_stop.Token);
            _run ??= RunAsync();
        }

        return _signedIn.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sends a message; completes with the server's ack.</summary>
    /// <remarks>
    /// <para>Waits for as long as it takes, over reconnects. Refusals that mean "try again later" are tried again for the request timeout;
    /// others throw <see cref="ImClientException"/> with the code. Sends of one thread go out in the order of the calls, without awaiting one
    /// before the next.</para>
    /// <para>Cancelling stops the waiting: a message that was written already may still be stored.</para>
    /// <para>A non-persistent message is sent at once or fails, and fails when the connection is lost before its ack.</para>
    /// </remarks>
    public async Task<ImSendAck> SendAsync(ImMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(message.Content);
        var send = new Send
        {
            ClientMessageId = message.ClientMessageId ?? NewMessageId(),
            Content = message.Content.Clone(),
            NonPersistent = message.NonPersistent,
        };
        if (message.Target.UserId is { } userId)
        {
            send.UserId = userId;
        }
        else
        {
            send.ConversationId = message.Target.ConversationId
                ?? throw new ArgumentException("The message has no target; use ImTarget.User(id) or ImTarget.Conversation(id).", nameof(message));
        }

        var answer = await AskAsync(new ClientPacket { Send = send }, null, cancellationToken).ConfigureAwait(false);
        var ack = answer.SendAck ?? throw Errors.UnexpectedAnswer(answer);
        return new ImSendAck(
            ack.Result, ack.ConversationId, ack.ConversationSeq, DateTimeOffset.FromUnixTimeMilliseconds(ack.TimeMs), send.ClientMessageId);
    }

    /// <summary>Sends a text; see <see cref="SendAsync"/>.</summary>
    public Task<ImSendAck> SendTextAsync(ImTarget target, string text, CancellationToken cancellationToken = default) =>
        SendAsync(new ImMessage { Target = target, Content = new Content { ContentType = "text", Text = text } }, cancellationToken);

    /// <summary>The stream of events, in order, until the client ends.</summary>
    /// <remarks>
    /// <para>Moving to the next event says that the previous one is stored: only then its cursor moves. An event that an enumeration was left
    /// in comes again in the next one.</para>
    /// <para>After a dispose the stream ends; after a final close it throws that <see cref="ImClientException"/> when the buffer is empty. One
    /// enumeration at a time.</para>
    /// </remarks>
    public IAsyncEnumerable<ImEvent> ReadAsync(CancellationToken cancellationToken = default) => _events.ReadAsync(cancellationToken);

    /// <summary>A page of a conversation's history: the entries just before a position, oldest first.</summary>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="beforeSeq">The entries before this one; 0 = the newest.</param>
    /// <param name="maxEntries">The most entries; 0 = the server's default. The server has its own limit.</param>
    /// <param name="maxBytes">The most bytes; 0 = the server's default.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public Task<SyncPage> SyncBeforeAsync(
        string conversationId, long beforeSeq = 0, int maxEntries = 0, int maxBytes = 0, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        ArgumentOutOfRangeException.ThrowIfNegative(beforeSeq);
        return SyncAsync(
            new SyncConversation { ConversationId = conversationId, BeforeConversationSeq = beforeSeq }, maxEntries, maxBytes, cancellationToken);
    }

    /// <summary>A page of a conversation's history: the entries after a position, oldest first.</summary>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="afterSeq">The entries after this one.</param>
    /// <param name="maxEntries">The most entries; 0 = the server's default. The server has its own limit.</param>
    /// <param name="maxBytes">The most bytes; 0 = the server's default.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public Task<SyncPage> SyncAfterAsync(
        string conversationId, long afterSeq, int maxEntries = 0, int maxBytes = 0, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        ArgumentOutOfRangeException.ThrowIfNegative(afterSeq);
        return SyncAsync(
            new SyncConversation { ConversationId = conversationId, AfterConversationSeq = afterSeq }, maxEntries, maxBytes, cancellationToken);
    }

    /// <summary>Moves the user's read mark in a conversation; returns the mark as it stands now. It never moves back.</summary>
    public async Task<long> MarkReadAsync(string conversationId, long conversationSeq, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        var packet = new ClientPacket { MarkRead = new MarkRead { ConversationId = conversationId, ConversationSeq = conversationSeq } };
        var answer = await AskAsync(packet, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        return (answer.MarkedRead ?? throw Errors.UnexpectedAnswer(answer)).ConversationSeq;
    }

    /// <summary>Asks the token provider for a newer token and gives it to the server; returns when that one expires, null = never.</summary>
    public async Task<DateTimeOffset?> RefreshTokenAsync(CancellationToken cancellationToken = default)
    {
        var provider = _options.TokenProvider
            ?? throw new InvalidOperationException("There is no token to refresh; set ImClientOptions.TokenProvider.");
        var packet = new ClientPacket { RefreshToken = new RefreshToken { Token = await provider(cancellationToken).ConfigureAwait(false) } };
        var answer = await AskAsync(packet, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        var expires = (answer.TokenRefreshed ?? throw Errors.UnexpectedAnswer(answer)).TokenExpiresAtMs;
        return expires == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(expires);
    }

    /// <summary>
    /// Disconnects, fails what waits for an answer, ends <see cref="ReadAsync"/> and saves the cursors. Can be safely called multiple times.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _disposing ??= DisposeCoreAsync();
            return new ValueTask(_disposing);
        }
    }

    private async Task<SyncPage> SyncAsync(SyncConversation position, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxEntries);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        var packet = new ClientPacket { Sync = new Sync { Conversation = position, MaxEntries = maxEntries, MaxBytes = maxBytes } };
        var answer = await AskAsync(packet, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        return answer.SyncPage ?? throw Errors.UnexpectedAnswer(answer);
    }

    private async Task<ServerPacket> AskAsync(ClientPacket packet, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } traceparent })
        {
            packet.Traceparent = traceparent;
        }

        var pending = new Pending(packet);
        _outbox.Add(pending);
        using var limit = timeout is { } time ? new CancellationTokenSource(time, _options.TimeProvider) : null;
        using var onLimit = limit?.Token.UnsafeRegister(
            _ => _outbox.Abandon(pending, Errors.TimedOut(timeout!.Value), CancellationToken.None), null) ?? default;
        using var onCancel = cancellationToken.UnsafeRegister(_ => _outbox.Abandon(pending, null, cancellationToken), null);
        return await pending.Answer.ConfigureAwait(false);
    }

    /// <summary>The client's life: load the cursors, stay connected, tell everybody that it is over.</summary>
    private async Task RunAsync()
    {
        // The caller holds the lock; nothing of the application's may run there.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        SetState(ImClientState.Connecting, null);
        ImCloseReason reason;
        try
        {
            var cursors = await _options.CursorStore.LoadAsync(_stop.Token).ConfigureAwait(false);
            _host.Received.Load(cursors);
            _events.Load(cursors);
            var end = await new ConnectionLoop(_host, OnLost).RunAsync(_stop.Token).ConfigureAwait(false);
            reason = new ImCloseReason(end.Code, end.Reason, end.Final);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            reason = Disposed();
        }
        catch (Exception e)
        {
            reason = new ImCloseReason(null, e.Message, e);
        }

        Finish(reason);
    }

    private async Task DisposeCoreAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_run is not null)
        {
            await _run.ConfigureAwait(false);
        }

        Finish(Disposed());
        _events.End();
        if (_keeping is not null)
        {
            await _keeping.ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private static ImCloseReason Disposed() => new(ImCloseCode.Normal, "The client was disposed.", null);

    /// <summary>Tells everybody that it is over; the first call counts.</summary>
    private void Finish(ImCloseReason reason)
    {
        if (!_closed.TrySetResult(reason))
        {
            return;
        }

        var error = reason.Error ?? new ObjectDisposedException(nameof(ImClient));
        _outbox.Close(error);
        _events.Complete(reason.Error);
        _signedIn.TrySetException(error);
        _ = _signedIn.Task.Exception; // Nobody need be waiting for it.
        if (reason.Error is not null)
        {
            Log.Closed(_logger, reason.Reason, reason.Error);
        }

        SetState(ImClientState.Closed, reason.Error);
    }

    private void OnSignedIn(SignedIn signedIn)
    {
        _userId = signedIn.UserId;
        Log.SignedIn(_logger, signedIn.UserId, signedIn.ConnectionId, signedIn.Reset);
        SetState(ImClientState.Connected, null);
        _signedIn.TrySetResult();
    }

    private void OnLost(Exception? error) =>
        SetState(_signedIn.Task.IsCompletedSuccessfully ? ImClientState.Reconnecting : ImClientState.Connecting, error);

    private void SetState(ImClientState state, Exception? error)
    {
        if (_state == state && error is null)
        {
            return;
        }

        _state = state;
        try
        {
            StateChanged?.Invoke(this, new ImClientStateChangedEventArgs(state, error));
        }
        catch (Exception e)
        {
            Log.StateHandlerFailed(_logger, e);
        }
    }
}
