using Im.Fanout;
using WireFanout = Im.Protocol.Fanout;
using WireGroupInfo = Im.Protocol.GroupInfo;

namespace Im.Sync;

/// <summary>Groups as they stand on the wire.</summary>
internal static class GroupMapping
{
    public static WireFanout ToWire(string fanout) => fanout switch
    {
        FanoutNames.Write => WireFanout.Write,
        FanoutNames.Read => WireFanout.Read,
        _ => WireFanout.Unspecified,
    };

    public static WireGroupInfo ToWire(Model.GroupInfo info, string fanout, int memberCount, long version) => new()
    {
        Name = info.Name,
        Avatar = info.Avatar,
        Extra = info.Extra,
        Fanout = ToWire(fanout),
        MemberCount = memberCount,
        MembershipVersion = version,
    };
}
