import { h } from './dom'

/** Says things to screen readers: each once, and not while they are being written. */
export class Announcer {
  readonly #polite = h('div', { role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true' })
  readonly #urgent = h('div', { role: 'alert', 'aria-live': 'assertive', 'aria-atomic': 'true' })
  readonly element = h('div', { class: 'unseen', part: 'announcer' }, this.#polite, this.#urgent)

  polite(text: string): void {
    write(this.#polite, text)
  }

  urgent(text: string): void {
    write(this.#urgent, text)
  }
}

/** A new node each time, so that the same sentence is said again. */
function write(region: Element, text: string): void {
  region.replaceChildren(h('p', {}, text))
}
