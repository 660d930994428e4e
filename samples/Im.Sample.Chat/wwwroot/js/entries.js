// What the IM client hands over, in the words of this page.

/** An entry of the client as the model keeps it. */
export function toEntry(e) {
  const group = e.groupCreated?.group ?? e.groupChanged?.group ?? e.membersChanged?.group;
  return {
    conversationId: e.conversationId,
    seq: e.conversationSeq,
    ordinal: e.ordinal,
    senderId: e.senderId,
    clientMessageId: e.clientMessageId,
    timeMs: e.timeMs,
    kind: e.kind === "content" || (e.gone && e.kind === null) ? "message" : e.kind === "groupDissolved" ? "dissolved" : "change",
    content: e.kind === "content" ? e.content : null,
    groupName: group?.name || undefined,
    added: e.membersChanged?.added ?? e.groupCreated?.members,
    removed: e.membersChanged?.removed,
    describe: (model) => describe(e, model),
  };
}

export function toState(c) {
  return {
    id: c.conversationId,
    head: c.head,
    unread: c.unread,
    joinedSeq: c.joinedSeq,
    groupName: c.group?.name ?? "",
    last: c.lastEntry ? toEntry(c.lastEntry) : null,
  };
}

/** A change of a group as a sentence. */
function describe(e, model) {
  const name = (id) => (id === model.me.id ? "you" : model.nameOf(id));
  const names = (ids) => new Intl.ListFormat("en").format(ids.slice(0, 6).map(name).concat(ids.length > 6 ? [`${ids.length - 6} more`] : []));
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const actor = name(e.senderId);
  switch (e.kind) {
    case "groupCreated":
      return sentence(`${actor} created the group “${e.groupCreated.group?.name ?? ""}”`);
    case "groupChanged":
      return sentence(`${actor} changed the group`);
    case "groupDissolved":
      return sentence(`${actor} closed the group`);
    case "membersChanged": {
      const { added, removed } = e.membersChanged;
      if (removed.length === 1 && removed[0] === e.senderId) return sentence(`${actor} left`);
      const parts = [added.length > 0 && `added ${names(added)}`, removed.length > 0 && `removed ${names(removed)}`].filter(Boolean);
      return sentence(`${actor} ${parts.join(" and ")}`);
    }
    default:
      return "";
  }
}
