// Puts the page together: who is signed in, what they know, what they see.
import { signIn } from "./account.js";
import { api } from "./api.js";
import { banner } from "./banner.js";
import { ChatView } from "./chat-view.js";
import { Connection } from "./connection.js";
import { $, avatar, h, icon } from "./dom.js";
import { addMembers, newGroup, showMembers } from "./group-dialog.js";
import { ListView } from "./list-view.js";
import { Model } from "./model.js";
import { Outbox } from "./outbox.js";

const CONTACTS_EVERY_MS = 5_000;

const reload = () => location.reload();
const me = (await api.me().catch(() => null)) ?? (await signIn());
const model = new Model(me);
const outbox = new Outbox(me.id);
const connection = new Connection(model, outbox);

// ---- people and groups, from the sample's own API
async function refreshContacts() {
  try {
    model.setContacts(await api.contacts());
  } catch (error) {
    if (error.status === 401) reload(); // signed out elsewhere
    if (error.status === 0) model.setContacts([...model.users.values()].map((user) => ({ ...user, online: false }))); // nobody knows
  }
}

const refreshGroups = async () => model.setGroups(await api.groups().catch(() => [...model.groups.values()]));

// ---- the two views
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => ($("toast").hidden = true), 5000);
}

function openConversation(id) {
  const conversation = model.conversation(id);
  if (history.state?.open) history.replaceState({ open: id }, "");
  else history.pushState({ open: id }, "");
  show(conversation);
}

function show(conversation) {
  $("chat").dataset.pane = "conversation";
  list.current = conversation.id;
  view.open(conversation);
  if (matchMedia("(hover: hover)").matches) $("text").focus();
}

function showList() {
  const id = view.id;
  $("chat").dataset.pane = "list";
  list.current = "";
  view.close();
  document.querySelector(`.row[data-conversation="${CSS.escape(id)}"]`)?.focus();
}

// The browser's back button leads from a conversation to the list, as on a phone one expects.
window.addEventListener("popstate", (event) => (event.state?.open ? show(model.conversation(event.state.open)) : showList()));

async function members(conversation) {
  let group = model.groups.get(conversation.id);
  let result = group && (await showMembers(model, group));
  if (result === "add") result = await addMembers(model, group);
  if (result) await refreshGroups();
}

const list = new ListView(model, outbox, openConversation);
const view = new ChatView(model, connection, outbox, { toast, members, back: () => history.back() });
banner(connection, reload);

$("me").append(avatar(me.id, me.displayName, { size: "medium" }), h("span", {}, me.displayName));
$("new-group").append(icon("group"));
$("new-group").onclick = async () => {
  const group = await newGroup(model);
  if (!group) return;
  await refreshGroups();
  openConversation(group.conversationId);
};
$("sign-out").append(icon("leave"));
$("sign-out").onclick = async () => {
  connection.close();
  await api.logout().catch(() => {});
  reload();
};

// ---- start
$("chat").hidden = false;
history.replaceState(null, "");
model.addEventListener("groups-changed", refreshGroups);
connection.addEventListener("message", ({ detail }) => !model.users.has(detail.last?.senderId) && refreshContacts());
connection.addEventListener("state", ({ detail }) => detail.state === "connected" && (refreshContacts(), refreshGroups()));
connection.addEventListener("state", ({ detail }) => (document.documentElement.dataset.connection = detail.state));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refreshContacts());
window.addEventListener("focus", refreshContacts);
// A page that goes away lets go of the device, so that it cannot take it from the page that comes after it.
window.addEventListener("pagehide", () => connection.close());
window.addEventListener("pageshow", (event) => event.persisted && reload());
setInterval(() => document.visibilityState === "visible" && refreshContacts(), CONTACTS_EVERY_MS);
await Promise.all([refreshContacts(), refreshGroups()]);
connection.connect();
