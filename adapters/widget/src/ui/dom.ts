export type Content = Node | string | null | false | undefined
type Value = string | number | boolean | null | undefined | ((event: never) => void)

/**
 * An element. Functions listen to the event of their name; `part` names it for the site's styles
 * and for tests; what is null, undefined or false is left out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  values: Readonly<Record<string, Value>> = {},
  ...children: readonly Content[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'function') element.addEventListener(name, value as EventListener)
    else set(element, name, value)
  }
  element.append(...children.filter((one): one is Node | string => Boolean(one)))
  return element
}

export function set(element: Element, name: string, value: string | number | boolean | null | undefined): void {
  if (value === null || value === undefined || value === false) return element.removeAttribute(name)
  const text = value === true ? '' : String(value)
  if (element.getAttribute(name) === text) return
  element.setAttribute(name, text)
  if (name === 'part') element.setAttribute('data-part', text)
}

/** Text of an element, written only where it changes. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Styles for a shadow root. A policy against inline styles does not touch these. */
export function sheet(css: string): CSSStyleSheet {
  const styles = new CSSStyleSheet()
  styles.replaceSync(css)
  return styles
}
