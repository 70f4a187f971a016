// What was given up, and another try.

import { h } from "./dom.js";
import { conversationLink } from "./links.js";
import { get, post } from "./server.js";
import { ago, clock, pill } from "./words.js";

const KINDS = { turn: "No handler could answer it", delivery: "The platform never took it" };

function letter(each, again) {
  const retry = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await post(`dead-letters/${each.id}/retry`);
      await again(`Dead letter ${each.id} is tried again.`);
    } catch (error) {
      await again(error.message);
    }
    document.querySelector("#view h1")?.focus();
  };
  return h(
    "article",
    { class: "card letter", "data-key": each.id, "aria-labelledby": `letter-${each.id}` },
    h(
      "header",
      {},
      h("h2", { id: `letter-${each.id}` }, `${each.id} · ${KINDS[each.kind] ?? each.kind}`),
      h("button", { type: "button", class: "solid", onclick: retry, "aria-label": `Try ${each.id} again` }, "Try again"),
    ),
    h("p", { class: "meta" }, pill(each.reason, "bad"), " ", ago(each.at), " · ", h("span", { class: "mono" }, clock(each.at)), " · ", conversationLink(each.conversation)),
    each.text ? h("blockquote", { dir: "auto" }, each.text) : null,
    h("details", { "data-key": "content" }, h("summary", {}, "Content"), h("pre", { tabindex: 0 }, each.content)),
  );
}

export const deadLetters = {
  title: () => "Dead letters",
  load: (where, signal) => get("dead-letters", {}, signal),
  show: (data, where, { again }) => [
    h("h1", { tabindex: -1 }, "Dead letters"),
    h("p", { class: "lead" }, "What was given up. Another try puts it at the end of its conversation's queue."),
    data.dead_letters.length
      ? data.dead_letters.map((each) => letter(each, again))
      : h("p", { class: "card faint" }, "Nothing was given up."),
  ],
};
