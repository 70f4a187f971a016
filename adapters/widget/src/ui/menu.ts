import type { Context } from './context'
import { h, set } from './dom'
import { icon, type IconName } from './icons'

/** The three dots, and what they offer. */
export class Menu {
  readonly #button: HTMLButtonElement
  readonly #list = h('div', { class: 'choices', part: 'choices', role: 'menu', hidden: true })
  readonly #restart: HTMLButtonElement
  readonly #human: HTMLButtonElement
  readonly element: HTMLElement

  constructor(private readonly context: Context) {
    const { messages } = context.locale
    this.#button = h(
      'button',
      {
        type: 'button',
        class: 'tool',
        part: 'menu',
        title: messages.menu,
        'aria-label': messages.menu,
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        click: () => (this.#list.hidden ? this.#open() : this.close()),
      },
      icon('menu'),
    )
    this.#restart = this.#choice('restart', 'plus', messages.restart, 'reset')
    this.#human = this.#choice('human', 'person', messages.human, 'human')
    set(this.#list, 'aria-label', messages.menu)
    this.#list.append(this.#restart, this.#human)
    this.element = h('div', { class: 'menu', keydown: (event: KeyboardEvent) => this.#key(event) }, this.#button, this.#list)
    this.element.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !this.element.contains(event.relatedTarget as Node)) this.close(false)
    })
  }

  update(): void {
    const bot = this.context.conversation.session?.bot
    this.#restart.hidden = !bot?.commands.some((one) => one.name === 'reset')
    this.#human.hidden = !bot?.human
    this.element.hidden = this.#restart.hidden && this.#human.hidden
  }

  /** Whatever was touched outside closes it. */
  touched(target: EventTarget | null): void {
    if (!this.#list.hidden && !this.element.contains(target as Node | null)) this.close(false)
  }

  close(back = true): void {
    if (this.#list.hidden) return
    this.#list.hidden = true
    set(this.#button, 'aria-expanded', 'false')
    if (back) this.#button.focus({ preventScroll: true })
  }

  #open(): void {
    this.#list.hidden = false
    set(this.#button, 'aria-expanded', 'true')
    this.#choices[0]?.focus({ preventScroll: true })
  }

  get #choices(): HTMLButtonElement[] {
    return [this.#restart, this.#human].filter((one) => !one.hidden)
  }

  #choice(part: string, sign: IconName, label: string, command: string): HTMLButtonElement {
    const click = (): void => {
      this.close()
      this.context.conversation.send({ kind: 'command', text: `/${command}`, name: command, shown: command !== 'reset' })
    }
    return h('button', { type: 'button', class: 'choice', role: 'menuitem', tabindex: -1, part, click }, icon(sign), label)
  }

  #key(event: KeyboardEvent): void {
    if (this.#list.hidden) return
    const choices = this.#choices
    const at = choices.findIndex((one) => one.matches(':focus'))
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: choices.length - 1 }[event.key]
    if (to !== undefined) choices[(to + choices.length) % choices.length]?.focus()
    else if (event.key === 'Escape') this.close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
}
