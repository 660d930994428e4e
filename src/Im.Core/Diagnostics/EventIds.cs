namespace Im.Diagnostics;

/// <summary>Event ids of Im.Core: 1000–1999. An id that is no longer used is never given again.</summary>
internal static class EventIds
{
    // 1000: the server's life
    public const int Started = 1000;
    public const int Draining = 1001;
    public const int Stopped = 1002;
    public const int DrainTimedOut = 1003;

    // 1100: connections
    public const int SignedIn = 1100;
    public const int SignInRefused = 1101;
    public const int ConnectionClosed = 1102;
    public const int ConnectionRefused = 1103;
    public const int BadPacket = 1104;

    // 1200: requests
    public const int RequestFailed = 1200;
    public const int InterceptorFailed = 1201;
    public const int NotifierFailed = 1202;
    public const int UserProviderFailed = 1203;
    public const int NoticesDropped = 1204;
    public const int DeviceNotSaved = 1205;
    public const int StoreRequestFailed = 1206;

    // 1300: commits and sync
    public const int CommitFailed = 1300;
    public const int CatchUpFailed = 1301;
    public const int DeliveryFailed = 1302;
    public const int HeartbeatFailed = 1303;
    public const int ReloadFailed = 1304;
    public const int OfferFailed = 1305;
    public const int AnswerFailed = 1306;
    public const int LoopFailed = 1307;
    public const int CommitSplit = 1308;
    public const int RefusalFailed = 1309;
    public const int HeadCheckFailed = 1310;
    public const int EntriesMissed = 1311;
    public const int TimelinesDiffer = 1312;
    public const int CatchUpRetried = 1313;

    // 1400: retention
    public const int RetentionPassed = 1400;
    public const int RetentionFailed = 1401;
    public const int RetentionMissing = 1402;

    // 1500: the cluster
    public const int NotRegistered = 1500;
    public const int NotRemoved = 1501;
    public const int WaitingForName = 1502;
    public const int DirectoryFailed = 1503;
    public const int DirectoryIsBack = 1504;
    public const int LeaseFailed = 1505;
    public const int Fenced = 1506;
    public const int Rejoined = 1507;
    public const int NodeJoined = 1508;
    public const int NodeGone = 1509;
    public const int Reaped = 1510;
    public const int ConnectionsNotEnded = 1511;
    public const int BackplaneFailed = 1512;
    public const int BackplaneIsBack = 1513;
    public const int MessagesMissed = 1514;
    public const int MessageNotUnderstood = 1515;
    public const int OperationFailed = 1516;
    public const int NodeDidNotAnswer = 1517;
    public const int LeaveFailed = 1518;

    // 1550: large groups
    public const int MemberCacheFailed = 1550;
    public const int MembersCached = 1551;
    public const int MemberNoticesFailed = 1552;

    // 1600: rooms
    public const int RoomStoreFailed = 1600;
    public const int RoomBatchFailed = 1601;
    public const int RoomAnswerFailed = 1602;
    public const int RoomPublishFailed = 1603;
    public const int RoomRetireFailed = 1604;

    // 1650: presence and signals
    public const int PresenceListenerFailed = 1650;
    public const int PresenceEventsDropped = 1651;
    public const int PresenceFailed = 1652;
    public const int PresenceNotRead = 1653;

    // 1700: queued sends
    public const int SendQueueFull = 1700;
    public const int SendsNotQueued = 1701;
    public const int DrainLeaseTaken = 1702;
    public const int DrainLeaseEnded = 1703;
    public const int QueuedSendFailed = 1704;
    public const int QueuedSendDropped = 1705;
    public const int DrainFailed = 1706;
    public const int QueueNotRead = 1707;

    // 1750: administration
    public const int AdminClosed = 1750;
    public const int AdminSentToAll = 1751;
}
