// What people said about replies.

import { h, table } from "./dom.js";
import { address, conversationLink } from "./links.js";
import { get } from "./server.js";
import { ago, pill } from "./words.js";

const CHOICES = { "": "all", positive: "positive", negative: "negative" };

export const feedback = {
  title: () => "Feedback",
  load: (where, signal) => get("feedback", where.query, signal),
  show: (data, where) => [
    h("h1", { tabindex: -1 }, "Feedback"),
    h(
      "p",
      { class: "tools" },
      Object.entries(CHOICES).map(([value, words]) =>
        h("a", { href: address("feedback", "", { value }), class: "choice", "aria-current": (where.query.value ?? "") === value ? "true" : null }, words),
      ),
    ),
    table(
      "Latest first",
      [["When"], ["Value"], ["Comment", "text"], ["Conversation"]],
      data.feedback.map((each, at) => [
        `${each.at}-${each.sender}-${at}`,
        [ago(each.at), pill(each.value), each.comment || h("span", { class: "faint" }, "–"), conversationLink(each.conversation)],
      ]),
      "Nobody said anything about a reply yet.",
    ),
  ],
};
