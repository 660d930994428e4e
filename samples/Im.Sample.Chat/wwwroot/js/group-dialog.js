// Dialogs: make a group; see, add and remove its members; leave it.
import { api } from "./api.js";
import { $, avatar, h } from "./dom.js";

const others = (model, except = []) => [...model.users.values()].filter((user) => user.id !== model.me.id && !except.includes(user.id));

const choice = (user) => h("label", { className: "choice" }, avatar(user.id, user.displayName, { size: "medium", online: user.online }),
  h("span", { className: "grow" }, user.displayName, " ", h("small", {}, "@" + user.name)),
  h("input", { type: "checkbox", name: "member", value: user.id }));

const chosen = (form) => [...form.querySelectorAll("input[name=member]:checked")].map((box) => box.value);

/** Asks for a name and members; resolves to the new group, or null. */
export function newGroup(model) {
  const people = others(model);
  return open("New group", (form) => [
    h("label", { className: "field" }, "Name", h("input", { name: "name", required: true, maxLength: 60, autocomplete: "off" })),
    h("fieldset", { className: "choices", "aria-label": "Members" }, people.length > 0 ? people.map(choice) : h("p", { className: "muted" }, "Nobody else is here yet.")),
    ...buttons(form, "Create group"),
  ], (form) => api.createGroup(form.elements.name.value, chosen(form)));
}

/** Shows the members; resolves when something changed. */
export function showMembers(model, group) {
  const name = (id) => model.nameOf(id);
  return open(group.name, (form, act) => [
    h("div", { className: "choices" }, group.memberIds.map((id) => h("div", { className: "choice" },
      avatar(id, name(id), { size: "medium", online: model.users.get(id)?.online }),
      h("span", { className: "grow" }, name(id), " ", h("small", {}, [id === model.me.id && "you", id === group.ownerId && "owner"].filter(Boolean).join(", "))),
      group.ownerId === model.me.id && id !== model.me.id
        && h("button", { type: "button", "aria-label": `Remove ${name(id)}`, onclick: () => act(() => api.removeMember(group.id, id)) }, "Remove")))),
    h("p", { className: "error", role: "alert" }),
    h("div", { className: "actions" },
      h("button", { type: "button", className: "plain danger spread", onclick: () => act(() => api.removeMember(group.id, model.me.id)) }, "Leave group"),
      h("button", { type: "button", className: "plain", onclick: () => form.closest("dialog").close() }, "Close"),
      h("button", { type: "submit", className: "primary", disabled: others(model, group.memberIds).length === 0 }, "Add members")),
  ], async () => "add");
}

/** Chooses who joins. */
export function addMembers(model, group) {
  return open(`Add to ${group.name}`, (form) => [
    h("fieldset", { className: "choices", "aria-label": "New members" }, others(model, group.memberIds).map(choice)),
    ...buttons(form, "Add"),
  ], (form) => api.addMembers(group.id, chosen(form)));
}

function buttons(form, label) {
  return [
    h("p", { className: "error", role: "alert" }),
    h("div", { className: "actions" },
      h("button", { type: "button", className: "plain", onclick: () => form.closest("dialog").close() }, "Cancel"),
      h("button", { type: "submit", className: "primary" }, label)),
  ];
}

function open(title, content, submit) {
  const dialog = $("dialog");
  return new Promise((resolve) => {
    let result = null;
    const form = h("form", { noValidate: true });
    const act = async (work) => {
      const error = form.querySelector(".error");
      error.textContent = "";
      form.inert = true;
      try {
        result = (await work()) ?? "done";
        dialog.close();
      } catch (problem) {
        error.textContent = problem.message;
      } finally {
        form.inert = false;
      }
    };
    dialog.replaceChildren(form);
    form.append(h("h2", { id: "dialog-title" }, title), ...content(form, act));
    form.onsubmit = (event) => {
      event.preventDefault();
      act(() => submit(form));
    };
    dialog.onclose = () => resolve(result);
    dialog.showModal();
  });
}
