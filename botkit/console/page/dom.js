// Elements from text: nothing here, or anywhere in the console, makes markup of a string.

export const $ = (id) => document.getElementById(id);

/**
 * An element. Of `props`, `on...` are listeners, `vars` custom properties of its style, and all
 * else attributes; false, null and undefined leave one out. Children are nodes, or become text.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value == null) continue;
    if (name.startsWith("on")) element[name] = value;
    else if (name === "vars") for (const [key, each] of Object.entries(value)) element.style.setProperty(`--${key}`, each);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

const key = (node) => node.dataset?.key;
const alike = (one, other) => one.nodeName === other.nodeName && key(one) === key(other);
const LISTENERS = ["onclick", "onchange", "onkeydown", "onsubmit"];

/** Make what `old` holds like what `fresh` holds, and leave alone what is: focus, scroll, selection. */
export function morph(old, fresh) {
  const wanted = [...fresh.childNodes];
  for (const [at, node] of wanted.entries()) {
    let found = old.childNodes[at];
    // What is moved loses the focus: what is wanted no more goes first.
    while (found && !alike(found, node) && !wanted.slice(at).some((each) => alike(each, found))) {
      found.remove();
      found = old.childNodes[at];
    }
    if (found && !alike(found, node)) {
      const later = key(node) === undefined ? undefined : [...old.childNodes].slice(at).find((each) => alike(each, node));
      old.insertBefore(later ?? node, found);
      found = later;
    } else if (!found) old.append(node);
    if (found) become(found, node);
  }
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

function become(old, node) {
  if (node.nodeType === Node.TEXT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // A reader opens details; the data does not.
    if (!node.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS") && name !== "style") old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of node.style) old.style.setProperty(name, node.style.getPropertyValue(name));
  for (const name of LISTENERS) old[name] = node[name];
  if (old.nodeName === "SELECT") old.dataset.wanted = node.value;
  morph(old, node);
}

/** A table with a caption; `columns` are `[heading, class]`, `rows` are `[key, cells]`. */
export function table(caption, columns, rows, empty = "Nothing here.") {
  if (!rows.length) return h("section", { class: "card", "data-key": caption }, h("h2", {}, caption), h("p", { class: "faint" }, empty));
  const head = columns.map(([heading, kind]) => h("th", { scope: "col", class: kind }, heading));
  const body = rows.map(([name, cells]) =>
    h("tr", { "data-key": name }, cells.map((cell, at) => h("td", { class: columns[at][1] }, cell))),
  );
  return h(
    "div",
    { class: "card scroll", tabindex: 0, role: "region", "aria-label": caption, "data-key": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}

/** Names and values; pairs without a value are left out. */
export const facts = (pairs, kind = "facts") =>
  h(
    "dl",
    { class: kind },
    pairs
      .filter(([, value]) => value != null && value !== "" && value !== false)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
