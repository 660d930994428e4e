// Small pieces of text: times, days, previews.

const time = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });
const date = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

export const clock = (ms) => time.format(ms);

export const dayKey = (ms) => new Date(ms).toDateString();

export function dayName(ms) {
  const key = dayKey(ms);
  if (key === dayKey(Date.now())) return "Today";
  if (key === dayKey(Date.now() - 86_400_000)) return "Yesterday";
  return day.format(ms);
}

export function shortTime(ms) {
  if (!ms) return "";
  return dayKey(ms) === dayKey(Date.now()) ? clock(ms) : date.format(ms);
}

/** One line that stands for a message. */
export function preview(content) {
  if (!content) return "A message that is no longer kept";
  switch (content.contentType) {
    case "text":
    case "face":
      return content.text.slice(0, 200);
    case "image":
      return "📷 Picture";
    default:
      return `A message of the type ${content.contentType}`;
  }
}
