// Pictures: uploaded over HTTP, sent as a message that names them, shown inline.
import { api } from "./api.js";
import { $, h } from "./dom.js";

const TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const OURS = /^\/pictures\/[0-9a-f]{64}$/;

/** Uploads the files one after the other and sends each; what is wrong with one is said in a toast. */
export async function sendPictures(files, conversation, send, toast) {
  for (const file of files) {
    // A quick answer; the server looks at the bytes itself.
    if (!TYPES.has(file.type)) {
      toast(`${file.name}: only PNG, JPEG, GIF and WebP pictures can be sent.`);
      continue;
    }
    try {
      const [{ url }, size] = await Promise.all([api.uploadPicture(file), measure(file)]);
      send(conversation, { contentType: "image", text: JSON.stringify({ url, ...size }) });
    } catch (error) {
      toast(`${file.name}: ${error.message}`);
    }
  }
}

/** The picture of a message, or null where the message names anything but a picture of this server. */
export function pictureElement(text, loaded) {
  let picture;
  try {
    picture = JSON.parse(text);
  } catch {
    return null;
  }
  if (!OURS.test(picture?.url)) return null;
  const side = (value) => (Number.isInteger(value) && value > 0 && value <= 20_000 ? value : undefined);
  const properties = { src: picture.url, alt: "Picture", width: side(picture.width), height: side(picture.height), decoding: "async" };
  return h("button", { type: "button", className: "picture", "aria-label": "Show the picture large", onclick: () => show(picture.url) },
    h("img", { ...properties, onload: loaded }));
}

function show(url) {
  const box = $("lightbox");
  box.replaceChildren(h("button", { type: "button", "aria-label": "Close", onclick: () => box.close() }, h("img", { src: url, alt: "Picture" })));
  box.showModal();
}

async function measure(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const size = { width: bitmap.width, height: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    return {}; // the receiver's browser finds out
  }
}
