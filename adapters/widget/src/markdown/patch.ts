import { ALLOWED_ATTRIBUTES, ALLOWED_TAGS, type Child, type Shape } from './nodes'

/**
 * Makes the children of an element, from the one at `offset` on, what `next` says; `before` says
 * what they are. What is the same stays, and text that grew is appended to: a selection stays too.
 */
export function patch(parent: Element, before: readonly Child[], next: readonly Child[], offset = 0): void {
  const common = Math.min(before.length, next.length)
  for (let index = 0; index < common; index += 1)
    patchOne(parent, parent.childNodes[offset + index], before[index], next[index])
  for (let index = before.length; index > common; index -= 1) parent.childNodes[offset + index - 1]?.remove()
  for (const one of next.slice(common)) parent.append(created(one))
}

function patchOne(parent: Element, node: ChildNode | undefined, before?: Child, next?: Child): void {
  if (node === undefined || before === undefined || next === undefined || before === next) return
  if (typeof before === 'string' && typeof next === 'string') {
    const text = node as Text
    if (next.startsWith(before)) text.appendData(next.slice(before.length))
    else text.data = next
  } else if (typeof before === 'object' && typeof next === 'object' && alike(before, next)) {
    patch(node as Element, before.children, next.children)
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
