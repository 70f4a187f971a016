// The console: which view is shown, kept fresh while somebody looks.

import { conversation, conversations } from "./conversations.js";
import { deadLetters } from "./dead-letters.js";
import { $, h, morph } from "./dom.js";
import { feedback } from "./feedback.js";
import { address, parse } from "./links.js";
import { overview, turns } from "./overview.js";
import { get, key } from "./server.js";
import { turn } from "./turn.js";

const FRESH_MS = 2000;

// A view loads the data of an address with `load` and makes nodes of it with `show`, which is given
// how to load again and how to draw again what is loaded.
const VIEWS = { overview, conversations, conversation, turns, turn, feedback, "dead-letters": deadLetters };
const NAV = { overview: "Overview", conversations: "Conversations", turns: "Turns", feedback: "Feedback", "dead-letters": "Dead letters" };
const ABOVE = { conversation: "conversations", turn: "turns" };

let shown = null; // {hash, where, view, data}
let timer = 0;
let asking = null;

const titleOf = ({ view, data, where }) => (data && view.title(data, where)) || NAV[where.view] || "Console";

function render() {
  if (!shown?.data) return;
  const view = h("div", {}, shown.view.show(shown.data, shown.where, { again, redraw: render }));
  morph($("view"), view);
  document.title = `${titleOf(shown)} · botkit console`;
  for (const select of document.querySelectorAll("select[data-wanted]")) if (document.activeElement !== select) select.value = select.dataset.wanted;
}

function renderNav(dead) {
  const current = ABOVE[shown.where.view] ?? shown.where.view;
  const links = Object.entries(NAV).map(([name, words]) =>
    h("a", { href: address(name), "aria-current": name === current ? "page" : null }, words, name === "dead-letters" && dead ? h("span", { class: "badge" }, dead) : null),
  );
  morph($("nav"), h("div", {}, links));
}

/** Load what is shown, and show it; `announce` says what a button did. */
async function again(announce = "") {
  if (announce) $("said").textContent = announce;
  clearTimeout(timer);
  asking?.abort();
  const mine = (asking = new AbortController());
  const wanted = shown;
  try {
    const [data, numbers] = await Promise.all([wanted.view.load(wanted.where, mine.signal), get("overview", {}, mine.signal)]);
    if (mine.signal.aborted) return;
    const first = !wanted.data;
    wanted.data = wanted.view.usesOverview ? { ...data, overview: numbers } : data;
    open(true);
    trouble("");
    renderNav(numbers.dead_letters);
    render();
    if (first) arrive();
  } catch (error) {
    if (mine.signal.aborted || error.name === "AbortError") return;
    // Somebody else who guesses at this address does not throw out who is in.
    if (error.status === 401 || (error.status === 429 && !wanted.data)) return refuse(error);
    open(true);
    renderNav(0);
    if (error.status === 404) wanted.gone = true;
    trouble(error.message ?? String(error));
  }
  pulse();
  if (!wanted.gone) timer = setTimeout(() => (document.hidden ? null : again()), FRESH_MS);
}

/** A reader who followed a link is taken to the new view's heading. */
function arrive() {
  window.scrollTo(0, 0);
  const heading = $("view").querySelector("h1");
  if (heading && shown.follows) heading.focus({ preventScroll: true });
}

function go() {
  if (location.hash === "#main") return;
  const follows = shown !== null;
  const where = parse(location.hash);
  const view = Object.hasOwn(VIEWS, where.view) ? VIEWS[where.view] : null;
  if (!view) return location.replace(address("overview"));
  shown = { hash: location.hash, where, view, data: null, follows };
  trouble("");
  if (key.get()) again();
  else open(false);
}

function pulse() {
  const troubled = !$("trouble").hidden;
  $("pulse").textContent = troubled ? "not fresh" : "live";
  $("pulse").className = troubled ? "pulse stale" : "pulse";
}

function trouble(message) {
  if (message && !shown.data) morph($("view"), h("div", {}));
  if ($("trouble").textContent !== message) $("trouble").textContent = message;
  $("trouble").hidden = !message;
}

// -- the key ----------------------------------------------------------------------------------

function open(isOpen) {
  $("bar").hidden = !isOpen;
  if (!isOpen) morph($("view"), h("div", {}));
  if ($("gate").hidden === isOpen) return;
  $("gate").hidden = isOpen;
  if (!isOpen) {
    document.title = "botkit console";
    $("key").focus();
  }
}

function refuse(error) {
  key.forget();
  if (shown) shown.data = null;
  trouble("");
  open(false);
  $("refused").textContent = error.message;
  $("key").setAttribute("aria-invalid", "true");
  $("key").select();
}

$("gate").onsubmit = (event) => {
  event.preventDefault();
  key.set($("key").value.trim());
  $("key").value = "";
  $("key").removeAttribute("aria-invalid");
  $("refused").textContent = "";
  again();
};

$("lock").onclick = () => {
  clearTimeout(timer);
  asking?.abort();
  key.forget();
  shown.data = null;
  open(false);
};

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && key.get() && shown && !shown.gone) again();
});
window.addEventListener("hashchange", go);
go();
