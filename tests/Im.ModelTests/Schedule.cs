using System.Globalization;
using Google.Protobuf;
using Im.Client;
using Im.Fanout;
using Im.Model;
using Im.Protocol;

namespace Im.ModelTests;

/// <summary>The seeded sequence of what users, hosts and networks do. One loop runs it; what devices do goes on meanwhile.</summary>
internal sealed class Schedule
{
    private const int MaxPending = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly World _world;
    private readonly Random _random;
    private readonly PriorityQueue<Func<Task>, long> _later = new();
    private readonly List<Task> _marks = [];
    private readonly List<Outgoing> _own = [];
    private long _step;
    private int _ids;

    public Schedule(World world)
    {
        _world = world;
        _random = new Random(world.Plan.Seed);
    }

    private Statistics Statistics => _world.Statistics;

    /// <summary>Makes users, devices and groups, and waits until every device is signed in.</summary>
    public async Task BeginAsync()
    {
        for (var i = 0; i < _world.Plan.Devices; i++)
        {
            AddDevice(_world.Users[i % _world.Users.Count]);
        }

        foreach (var size in new[] { 2, 3, 5, 6, 7, 8, 8, 9, 10, 12, 16, 20, 26, 40 })
        {
            await CreateGroupAsync(size);
        }
    }

    public async Task RunAsync()
    {
        // What happens once, and what is so rare that by chance alone one run in a hundred would be without it.
        var messages = _world.Plan.Messages;
        var certain = new Queue<(int At, Func<Task> Action)>(
            [(messages * 20 / 100, StartNewDeviceAsync), (messages * 45 / 100, RestartServerAsync), (messages * 70 / 100, DissolveGroupAsync)]);
        while (_world.Sent.Count < messages && !_world.HasViolations)
        {
            _step++;
            while (_later.TryPeek(out var action, out var at) && at <= _step)
            {
                _later.Dequeue();
                await action();
            }

            if (certain.TryPeek(out var next) && _world.Sent.Count >= next.At)
            {
                certain.Dequeue();
                await next.Action();
            }

            await StartEndedAsync();
            await StepAsync();
            await ThrottleAsync();
        }
    }

    /// <summary>Everything that was stopped goes on; ends when every message is answered.</summary>
    public async Task EndAsync()
    {
        while (_later.TryDequeue(out var action, out _))
        {
            await action();
        }

        foreach (var device in _world.Devices)
        {
            device.Resume();
            device.SetSlow(0);
            device.Link.Resume();
            device.Link.SetDelay(0);
            if (!device.IsRunning)
            {
                device.Start("started again at the end");
            }
        }

        do
        {
            await StartEndedAsync();
            await Until.ProgressAsync(
                () => _world.HasViolations || !_world.EndedByOwnSignIn.IsEmpty || _world.Devices.All(device => device.Pending == 0),
                () => _world.Devices.Sum(device => (long)device.Pending),
                () => "Messages without an answer:\n" + string.Join("\n", _world.Devices.Where(d => d.Pending > 0).Select(d => $"{d.State}\n  {d.DescribeOutbox()}")));
        }
        while (!_world.HasViolations && !_world.EndedByOwnSignIn.IsEmpty);
        await Task.WhenAll(_marks).WaitAsync(Patience);
    }

    private async Task StartEndedAsync()
    {
        while (_world.EndedByOwnSignIn.TryDequeue(out var device))
        {
            if (device.Client?.Closed.IsCompleted == true)
            {
                await device.StopAsync(crash: false);
                device.Start("started again after a late sign-in of its own");
                Statistics.Add("ended by a late sign-in of its own");
            }
        }
    }

    private async Task StepAsync()
    {
        var device = _world.Devices[_random.Next(_world.Devices.Count)];
        switch (_random.Next(1000))
        {
            case < 560:
                SendNext(device);
                break;
            case < 600:
                for (var i = _random.Next(5, 30); i > 0; i--)
                {
                    SendNext(device);
                }

                break;
            case < 650:
                Resend(device);
                break;
            case < 670:
                SendUnderReusedId();
                break;
            case < 700:
                SendAsStranger(device);
                break;
            case < 770:
                MarkRead(device);
                break;
            case < 820:
                await ChangeGroupAsync();
                break;
            case < 900:
                Cut(device);
                break;
            case < 920:
                Pause(device);
                break;
            case < 935:
                Stall(device);
                break;
            case < 950:
                Slow(device);
                break;
            case < 970:
                await RestartDeviceAsync(device);
                break;
            case < 976:
                await ReplaceAsync(device);
                break;
            case < 978 when _world.Devices.Count < _world.Plan.Devices * 2:
                await StartNewDeviceAsync();
                break;
            case < 985:
                Refresh(device);
                break;
            default:
                SendNext(device);
                break;
        }
    }

    private Task StartNewDeviceAsync()
    {
        AddDevice(_world.Users[_random.Next(_world.Users.Count)]);
        Statistics.Add("devices started new");
        return Task.CompletedTask;
    }

    // So many messages without an answer that all of it is one backlog would test less.
    private async Task ThrottleAsync()
    {
        if (_step % 8 == 0)
        {
            await Task.Yield();
        }

        if (_step % 64 == 0)
        {
            var limit = DateTime.UtcNow.AddMilliseconds(100);
            while (_world.Devices.Sum(device => device.Pending) > 1000 && DateTime.UtcNow < limit)
            {
                await Task.Delay(2);
            }
        }
    }

    private Device AddDevice(string userId)
    {
        var number = _world.Devices.Count;
        var device = new Device(_world, userId, $"d{number:000}", webSocket: _random.Next(2) == 0, shortTokens: _random.Next(6) == 0, _random.Next());
        _world.Devices.Add(device);
        device.Start("started new");
        return device;
    }

    private Content NextContent()
    {
        var length = _random.Next(40) == 0 ? _random.Next(1000, 6000) : _random.Next(5, 200);
        var content = new Content { ContentType = "text", Text = $"{++_ids}:" + new string((char)('a' + _random.Next(26)), length) };
        if (_random.Next(30) == 0)
        {
            var data = new byte[_random.Next(1, 100)];
            _random.NextBytes(data);
            content.Data = ByteString.CopyFrom(data);
        }

        return content;
    }

    private string NextId() => $"m{_world.Plan.Seed.ToString(CultureInfo.InvariantCulture)}-{++_ids}";

    private void SendNext(Device device)
    {
        if (device.Pending >= MaxPending)
        {
            return;
        }

        var groups = _world.Groups.Where(group => !group.IsDissolved && group.Members.Contains(device.UserId)).ToArray();
        if (groups.Length > 0 && _random.Next(100) < 65)
        {
            var group = groups[_random.Next(groups.Length)];
            var (version, generation) = (group.Version, _world.Generation);
            Send(device, group.ConversationId, null, sent =>
            {
                if (sent.Refusal is { } refusal && group.Version == version && _world.Generation == generation)
                {
                    _world.Violate($"A member's message was refused: {sent} {refusal.Message}");
                }
            });
            return;
        }

        // Few peers, so that conversations are long.
        var peer = _world.Users[(_world.Users.IndexOf(device.UserId) + _random.Next(1, 5)) % _world.Users.Count];
        Send(device, ConversationId.Direct(device.UserId, peer), _random.Next(2) == 0 ? peer : null, sent =>
        {
            if (sent.Refusal is { } refusal)
            {
                _world.Violate($"A direct message was refused: {sent} {refusal.Message}");
            }
        });
    }

    private void Send(Device device, string conversationId, string? toUserId, Action<Outgoing> check)
    {
        var outgoing = new Outgoing
        {
            Device = device,
            Order = device.NextOrder(),
            ConversationId = conversationId,
            ToUserId = toUserId,
            Id = NextId(),
            Content = NextContent(),
            Check = check,
        };
        _world.Sent.Add(outgoing);
        _own.Add(outgoing);
        device.Send(outgoing);
    }

    private Outgoing? FindStored()
    {
        for (var i = 0; i < 20 && _own.Count > 0; i++)
        {
            var sent = _own[Math.Max(0, _own.Count - 1 - _random.Next(2000))];
            if (sent.Ack is { } ack && ack.Time.ToUnixTimeMilliseconds() >= _world.GenerationStartMs)
            {
                return sent;
            }
        }

        return null;
    }

    private void Resend(Device device)
    {
        if (FindStored() is not { } stored)
        {
            return;
        }

        var others = _world.Devices.Where(other => other.UserId == stored.Device.UserId && other.Pending < MaxPending).ToArray();
        if (others.Length == 0)
        {
            return;
        }

        var generation = _world.Generation;
        var again = new Outgoing
        {
            Device = others[_random.Next(others.Length)],
            Order = 0,
            ConversationId = stored.ConversationId,
            Id = stored.Id,
            Content = stored.Content,
            Check = sent =>
            {
                if (_world.Generation == generation
                    && (sent.Ack is not { Result: SendResult.Duplicate } ack || ack.ConversationSeq != stored.Ack!.ConversationSeq))
                {
                    _world.Violate($"A resend was not answered as the first time: {sent}; before {stored}");
                }
            },
        };
        _world.Sent.Add(again);
        Statistics.Add(again.Device == stored.Device ? "resends by the same device" : "resends by another device");
        again.Device.Send(again);
    }

    private void SendUnderReusedId()
    {
        if (FindStored() is not { } stored || stored.Device.Pending >= MaxPending)
        {
            return;
        }

        var generation = _world.Generation;
        var other = new Outgoing
        {
            Device = stored.Device,
            Order = 0,
            ConversationId = stored.ConversationId,
            Id = stored.Id,
            Content = NextContent(),
            Check = sent =>
            {
                if (_world.Generation == generation && sent.Refusal?.Code != ImErrorCode.ClientIdReused)
                {
                    _world.Violate($"Another content under a used id was not refused: {sent}; before {stored}");
                }
            },
        };
        _world.Sent.Add(other);
        Statistics.Add("sends under a used id");
        other.Device.Send(other);
    }

    private void SendAsStranger(Device device)
    {
        var groups = _world.Groups.Where(group => !group.Members.Contains(device.UserId)).ToArray();
        if (groups.Length == 0 || device.Pending >= MaxPending)
        {
            return;
        }

        var group = groups[_random.Next(groups.Length)];
        var (version, generation) = (group.Version, _world.Generation);
        Statistics.Add("sends by strangers");
        Send(device, group.ConversationId, null, sent =>
        {
            if (group.Version == version && _world.Generation == generation
                && sent.Refusal?.Code is not (ImErrorCode.NotAMember or ImErrorCode.Dissolved or ImErrorCode.UnknownConversation))
            {
                _world.Violate($"A stranger's message was not refused: {sent}");
            }
        });
    }

    private void MarkRead(Device device)
    {
        if (_own.Count == 0 || device.Client is not { } client)
        {
            return;
        }

        var sent = _own[Math.Max(0, _own.Count - 1 - _random.Next(300))];
        _marks.RemoveAll(task => task.IsCompletedSuccessfully);
        _marks.Add(MarkAsync(client, sent.ConversationId, (sent.Ack?.ConversationSeq ?? 0) + _random.Next(10)));

        async Task MarkAsync(ImClient by, string conversationId, long seq)
        {
            try
            {
                await by.MarkReadAsync(conversationId, seq);
                Statistics.Add("marks moved");
            }
            catch (Exception e) when (e is ImClientException or ObjectDisposedException)
            {
                Statistics.Add("marks refused or without answer");
            }
        }
    }

    private async Task CreateGroupAsync(int size)
    {
        var group = new Group($"g{_world.Groups.Count:000}") { PinnedFanout = _random.Next(5) switch { 0 => FanoutNames.Read, 1 => FanoutNames.Write, _ => null } };
        while (group.Members.Count < size)
        {
            group.Members.Add(_world.Users[_random.Next(_world.Users.Count)]);
        }

        await _world.CreateAsync(group);
        _world.Groups.Add(group);
        Statistics.Add("groups created");
    }

    private async Task ChangeGroupAsync()
    {
        var group = NextLivingGroup();
        var some = _world.Users.OrderBy(_ => _random.Next()).Take(_random.Next(1, 5)).ToArray();
        var groups = _world.Im.Groups;
        group.Version++;
        switch (_random.Next(100))
        {
            case < 30:
                group.Members.UnionWith(some);
                await groups.AddMembersAsync(group.Id, some, "$host").AsTask().WaitAsync(Patience);
                Statistics.Add("group adds");
                break;
            case < 55 when group.Members.Count > 3:
                var leaving = group.Members.OrderBy(_ => _random.Next()).Take(2).ToArray();
                group.Members.ExceptWith(leaving);
                await groups.RemoveMembersAsync(group.Id, leaving, "$host").AsTask().WaitAsync(Patience);
                Statistics.Add("group removes");
                if (_random.Next(2) == 0)
                {
                    Later(_random.Next(1, 60), () => RejoinAsync(group, leaving));
                }

                break;
            case < 85:
                group.PinnedFanout = _random.Next(2) == 0 ? FanoutNames.Read : FanoutNames.Write;
                await groups.SetFanoutAsync(group.Id, group.PinnedFanout, "$host").AsTask().WaitAsync(Patience);
                Statistics.Add($"group switches to {group.PinnedFanout}");
                break;
            case < 95:
                await groups.UpdateAsync(group.Id, new Model.GroupInfo($"{group.Id} {_step}"), "$host").AsTask().WaitAsync(Patience);
                Statistics.Add("group updates");
                break;
            default:
                await DissolveAsync(group);
                break;
        }

        group.Version++;
    }

    private Group NextLivingGroup()
    {
        var living = _world.Groups.Where(group => !group.IsDissolved).ToArray();
        return living[_random.Next(living.Length)];
    }

    private async Task DissolveGroupAsync()
    {
        var group = NextLivingGroup();
        group.Version++;
        await DissolveAsync(group);
        group.Version++;
    }

    private async Task DissolveAsync(Group group)
    {
        group.IsDissolved = true;
        await _world.Im.Groups.DissolveAsync(group.Id, "$host").AsTask().WaitAsync(Patience);
        group.Members.Clear();
        Statistics.Add("groups dissolved");
        await CreateGroupAsync(_random.Next(2, 30));
    }

    private async Task RejoinAsync(Group group, string[] users)
    {
        if (group.IsDissolved)
        {
            return;
        }

        group.Version++;
        group.Members.UnionWith(users);
        await _world.Im.Groups.AddMembersAsync(group.Id, users, "$host").AsTask().WaitAsync(Patience);
        group.Version++;
        Statistics.Add("group rejoins");
    }

    private void Cut(Device device)
    {
        switch (_random.Next(3))
        {
            case 0:
                device.Link.CutNow();
                break;
            case 1:
                device.Link.CutAfter(toServer: true, _random.Next(600));
                break;
            default:
                device.Link.CutAfter(toServer: false, _random.Next(6000));
                break;
        }
    }

    private void Pause(Device device)
    {
        device.Pause();
        Statistics.Add("readers stopped");
        Later(_random.Next(50, 1500), () => { device.Resume(); return Task.CompletedTask; });
    }

    private void Stall(Device device)
    {
        device.Link.Stall();
        Statistics.Add("links stalled");
        Later(_random.Next(50, 1000), () => { device.Link.Resume(); return Task.CompletedTask; });
    }

    private void Slow(Device device)
    {
        Statistics.Add("slow devices");
        if (_random.Next(2) == 0)
        {
            device.Link.SetDelay(_random.Next(1, 5));
        }
        else
        {
            device.SetSlow(1);
        }

        Later(_random.Next(200, 1000), () => { device.Link.SetDelay(0); device.SetSlow(0); return Task.CompletedTask; });
    }

    private async Task RestartDeviceAsync(Device device)
    {
        if (!device.IsRunning)
        {
            return;
        }

        var crash = _random.Next(2) == 0;
        await device.StopAsync(crash);
        Statistics.Add(crash ? "processes crashed" : "processes ended");
        Later(_random.Next(1, 800), () =>
        {
            device.Start(crash ? "started again after a crash" : "started again");
            return Task.CompletedTask;
        });
    }

    private async Task ReplaceAsync(Device device)
    {
        if (device.Client?.State == ImClientState.Connected)
        {
            device.Link.Resume();
            await device.ReplaceAsync();
        }
    }

    private void Refresh(Device device)
    {
        if (device.Client is not { } client || !device.HasShortTokens)
        {
            return;
        }

        _marks.Add(RefreshAsync());

        async Task RefreshAsync()
        {
            try
            {
                await client.RefreshTokenAsync();
                Statistics.Add("tokens refreshed");
            }
            catch (Exception e) when (e is ImClientException or ObjectDisposedException)
            {
                Statistics.Add("token refreshes refused or without answer");
            }
        }
    }

    private async Task RestartServerAsync()
    {
        Statistics.Add("server restarts");
        foreach (var device in _world.Devices)
        {
            SendNext(device);
        }

        await _world.RestartServerAsync();
    }

    private void Later(int steps, Func<Task> action) => _later.Enqueue(action, _step + steps);
}
