// Addresses within the page. They are behind the #, so no conversation is in anybody's access log.

import { h } from "./dom.js";

export function address(view, name = "", query = {}) {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const search = new URLSearchParams(given).toString();
  return `#/${view}${name ? `/${encodeURIComponent(name)}` : ""}${search ? `?${search}` : ""}`;
}

/** The parts of an address; of anything else the first view. */
export function parse(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, name = ""] = path.split("/", 2);
  let plain = "";
  try {
    plain = decodeURIComponent(name);
  } catch {
    // not an address of ours
  }
  return { view: view || "overview", name: plain, query: Object.fromEntries(new URLSearchParams(search)) };
}

export function conversationLink(place, pseudonym) {
  if (!place) return h("span", { class: "mono faint", title: "Not among the latest conversations, or erased." }, pseudonym || "–");
  const where = [place.channel, place.thread].filter(Boolean).join(" › ") || place.key;
  return h("a", { href: address("conversation", place.key), class: "place" }, h("span", { class: "faint" }, `${place.platform} `), where);
}

export const turnLink = (id, text) => h("a", { href: address("turn", id) }, text);
