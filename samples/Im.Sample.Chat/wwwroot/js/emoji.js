// A small set of emoji and the box that offers them.
import { $, h } from "./dom.js";

const EMOJI =
  "😀 😄 😂 🤣 😊 😍 🥰 😘 😎 🤩 🤔 🙃 😉 😏 😴 😅 😢 😭 😱 😡 🥳 🤯 🤗 🙄 👍 👎 👏 🙏 🙌 💪 👋 🤝 ✌️ 🤞 👀 🧠 ❤️ 💙 💚 💛 💜 🔥 ✨ ⭐ 🎉 🎂 🎁 🏆 ☕ 🍕 🍰 🍎 🌞 🌧️ 🌈 🌍 🚀 🏠 📷 🎵 ✅ ❌ ❓ 💡".split(" ");

/** Whether a text is one to three emoji and nothing else: it is shown large. */
export function isBig(text) {
  return /^(\p{Extended_Pictographic}[\u{FE0F}\u{200D}\p{Emoji_Modifier}]*){1,3}$/u.test(text);
}

/** Wires the button and the box; `insert` gets the chosen one. */
export function emojiPicker(insert) {
  const box = $("emoji");
  const toggle = $("emoji-toggle");
  box.append(...EMOJI.map((emoji) => h("button", { type: "button", onclick: () => insert(emoji) }, emoji)));

  const show = (open) => {
    box.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    if (open) box.firstElementChild.focus();
  };
  toggle.addEventListener("click", () => show(box.hidden));
  document.addEventListener("click", (event) => {
    if (!box.hidden && !box.contains(event.target) && !toggle.contains(event.target)) show(false);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
    if (event.key === "Escape") {
      show(false);
      toggle.focus();
    } else if (step) {
      event.preventDefault();
      const buttons = [...box.children];
      buttons[buttons.indexOf(document.activeElement) + step]?.focus();
    }
  });
  return { close: () => show(false) };
}
