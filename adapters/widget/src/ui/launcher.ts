import { format, type Locale } from '../i18n'
import { h, say, set } from './dom'
import { icon } from './icons'

/** The round button that opens the panel. */
export class Launcher {
  readonly #badge = h('span', { class: 'badge', part: 'badge', 'aria-hidden': 'true', hidden: true })
  readonly element: HTMLButtonElement

  constructor(
    private readonly locale: Locale,
    toggle: () => void,
  ) {
    this.element = h(
      'button',
      {
        type: 'button',
        class: 'launcher',
        part: 'launcher',
        'aria-haspopup': 'dialog',
        'aria-expanded': 'false',
        click: toggle,
      },
      icon('chat'),
      icon('down'),
      this.#badge,
    )
    this.update(false, 0)
  }

  /** @param panel The panel's id, once there is one. */
  update(open: boolean, unread: number, panel = ''): void {
    const { messages } = this.locale
    const news = unread > 0 && !open
    const label = open ? messages.close : messages.open
    set(this.element, 'aria-expanded', String(open))
    set(this.element, 'aria-controls', panel || null)
    set(this.element, 'aria-label', news ? `${label}. ${format(messages.unread, { count: unread })}` : label)
    set(this.#badge, 'hidden', !news)
    say(this.#badge, unread > 9 ? '9+' : String(unread))
  }
}
