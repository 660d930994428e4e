// Makes elements. Text only ever becomes a text node, so nothing that a user wrote is parsed as HTML.

const PATHS = {
  back: "M15 5l-7 7 7 7",
  send: "M5 12h13M12 5l7 7-7 7",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5s1.2 2 3.5 2 3.5-2 3.5-2M9 9.5v.2M15 9.5v.2",
  picture: "M5 4h14a1.5 1.5 0 0 1 1.5 1.5v13A1.5 1.5 0 0 1 19 20H5a1.5 1.5 0 0 1-1.5-1.5v-13A1.5 1.5 0 0 1 5 4zM4 17l5-5 4 4 3-3 4.5 4M15.5 8.5v.2",
  group: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-5.5 6.5-5.5M19 13v7M15.5 16.5h7M16 4.5a3.3 3.3 0 0 1 0 6",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.8c2.2.7 3.5 2.5 3.5 5.2",
  leave: "M14 4h4.5A1.5 1.5 0 0 1 20 5.5v13a1.5 1.5 0 0 1-1.5 1.5H14M10 8l-4 4 4 4M6.5 12H15",
  down: "M6 9.5l6 6 6-6",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
  check: "M5 12.5l4.5 4.5L19 7.5",
};

/** An element with properties, `data-*` under `data`, `aria-*` by name, and children (strings become text). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "data") {
      for (const [key, data] of Object.entries(value)) if (data !== undefined && data !== false) element.dataset[key] = data === true ? "" : data;
    } else if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (name.startsWith("aria-") || name === "role" || name === "for") {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** A line icon that assistive technology passes over. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export const $ = (id) => document.getElementById(id);

/** The same colour for the same id on every screen. */
export function hueOf(id) {
  let hash = 7;
  for (const unit of id) hash = (hash * 31 + unit.codePointAt(0)) % 3600;
  return hash % 360;
}

export function avatar(id, name, { size = "", online = false } = {}) {
  const initials = name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
  const element = h("span", { className: `avatar ${size}`, "aria-hidden": "true", data: { online } }, initials || "?");
  element.style.setProperty("--hue", hueOf(id));
  return element;
}

/**
 * Makes a container's children equal to the items, keeping the elements whose key and version did not change, so that focus, selection and
 * loaded pictures survive. An item is { key, version, make() }.
 */
export function reconcile(container, items) {
  const old = new Map([...container.children].map((child) => [child.itemKey, child]));
  let place = container.firstElementChild;
  for (const item of items) {
    let child = old.get(item.key);
    old.delete(item.key);
    if (!child || child.itemVersion !== item.version) {
      const made = item.make();
      made.itemKey = item.key;
      made.itemVersion = item.version;
      if (child) {
        if (place === child) place = made;
        child.replaceWith(made);
      }
      child = made;
    }
    if (child === place) place = place.nextElementSibling;
    else container.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}
