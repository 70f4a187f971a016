import { ALLOWED_ATTRIBUTES, ALLOWED_TAGS, type Child, type Shape } from './nodes'

/**
 * Makes the last children of an element, as many as `before` has, what `next` says; `before` says
 * what they are. What is the same stays, and text that grew is appended to: a selection stays too.
 */
export function patch(parent: Element, before: readonly Child[], next: readonly Child[]): void {
  let node = parent.lastChild
  for (let index = before.length - 1; index >= 0; index -= 1) {
    const previous = node?.previousSibling ?? null
    if (index >= next.length) node?.remove()
    else if (node) patchOne(parent, node, before[index], next[index])
    node = previous
  }
  for (const one of next.slice(before.length)) parent.append(created(one))
}

function patchOne(parent: Element, node: ChildNode, before?: Child, next?: Child): void {
  if (before === undefined || next === undefined || before === next) return
  // What a translator in the browser has put in the place of a node is put out again.
  if (typeof before === 'string' && typeof next === 'string' && node instanceof Text) {
    if (next.startsWith(before)) node.appendData(next.slice(before.length))
    else node.data = next
  } else if (typeof before === 'object' && typeof next === 'object' && node instanceof Element && alike(before, next)) {
    patch(node, before.children, next.children)
  } else {
    parent.replaceChild(created(next), node)
  }
}

function alike(one: Shape, other: Shape): boolean {
  if (one.tag !== other.tag) return false
  const a = Object.entries(one.attributes)
  const b: Readonly<Record<string, string>> = other.attributes
  return a.length === Object.keys(b).length && a.every(([name, value]) => b[name] === value)
}

function created(child: Child): Node {
  if (typeof child === 'string') return document.createTextNode(child)
  // The types say so already; this is the last gate before the page.
  if (!ALLOWED_TAGS.has(child.tag)) return document.createTextNode('')
  const element = document.createElement(child.tag)
  for (const [name, value] of Object.entries(child.attributes))
    if (ALLOWED_ATTRIBUTES.has(name)) element.setAttribute(name, value)
  for (const one of child.children) element.append(created(one))
  return element
}
