import type { Row, View } from '../view'
import type { Context } from './context'
import { h, say } from './dom'
import { icon } from './icons'
import { Reply } from './reply'
import { Said } from './said'
import { dayName } from './times'

interface Shown {
  readonly element: HTMLElement
  update(row: Row): void
}

interface Actions {
  edit(): void
  retry(): void
}

/** Closer than this to the end, the reader is at the end. */
const NEAR = 48

/** The messages. Each row keeps its node for as long as it is there. */
export class Transcript {
  readonly #list = h('div', { class: 'list' })
  readonly #earlier: HTMLButtonElement
  readonly #welcome: HTMLElement
  readonly #waiting: HTMLElement
  readonly #waitingText = h('span', {})
  readonly #latest: HTMLButtonElement
  readonly #shown = new Map<string, { shown: Shown; row: Row }>()
  readonly log: HTMLElement
  readonly element: HTMLElement
  #following = true
  #top = 0
  #left = 0

  constructor(
    private readonly context: Context,
    private readonly actions: Actions,
  ) {
    const { messages } = context.locale
    const { greeting } = context
    this.#earlier = h(
      'button',
      { type: 'button', class: 'small earlier', part: 'earlier', hidden: true, click: () => void this.#loadEarlier() },
      messages.earlier,
    )
    this.#welcome = h(
      'div',
      { class: 'welcome', part: 'welcome' },
      h('span', { class: 'avatar large' }, icon('spark')),
      h('p', { dir: 'auto' }, greeting || messages.welcome),
    )
    this.#waiting = h(
      'div',
      { class: 'waiting', part: 'status', hidden: true },
      h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')),
      this.#waitingText,
    )
    this.log = h(
      'div',
      { class: 'log', part: 'log', role: 'log', 'aria-live': 'off', 'aria-label': context.title, tabindex: 0 },
      this.#earlier,
      this.#welcome,
      this.#list,
      this.#waiting,
    )
    this.#latest = h(
      'button',
      {
        type: 'button',
        class: 'latest',
        part: 'latest',
        hidden: true,
        title: messages.latest,
        'aria-label': messages.latest,
        click: () => this.end(true),
      },
      icon('down'),
    )
    this.element = h('div', { class: 'transcript' }, this.log, this.#latest)
    this.log.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    const sizes = new ResizeObserver(() => this.#keep())
    sizes.observe(this.log)
    sizes.observe(this.#list)
  }

  update(view: View): void {
    const { messages } = this.context.locale
    const added = this.#rows(view.rows)
    this.#earlier.hidden = !view.more
    this.#welcome.hidden = view.rows.length > 0 || view.waiting !== ''
    this.#waiting.hidden = view.waiting === ''
    if (view.waiting) say(this.#waitingText, view.waiting === 'queued' ? messages.queued : messages.typing)
    const own = added.some((row) => row.kind === 'user' && row.state === 'sending')
    if (own) this.#following = true
    this.#keep()
  }

  /** Goes to the end, and stays there while more comes. */
  end(smooth = false): void {
    this.#following = true
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.log.scrollTo({ top: this.log.scrollHeight, behavior: smooth && !calm ? 'smooth' : 'instant' })
    if (smooth) this.log.focus({ preventScroll: true })
    this.#latest.hidden = true
  }

  #keep(): void {
    if (this.#following) this.log.scrollTop = this.log.scrollHeight
    else this.#latest.hidden = this.#atEnd()
    this.#measure()
  }

  /** Whoever scrolls up by ever so little reads; the end follows again once it is reached. */
  #scrolled(): void {
    const up = this.log.scrollTop < this.#top - 1 && this.#below > this.#left + 1
    this.#following = !up && (this.#following || this.#atEnd())
    this.#latest.hidden = this.#atEnd()
    this.#measure()
  }

  #measure(): void {
    this.#top = this.log.scrollTop
    this.#left = this.#below
  }

  #atEnd(): boolean {
    return this.#below < NEAR
  }

  /** How much there is below what is seen. */
  get #below(): number {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight
  }

  /** Brings the rows in; answers those that were not there. */
  #rows(rows: readonly Row[]): Row[] {
    const keys = new Set(rows.map((row) => row.key))
    for (const [key, { shown }] of this.#shown)
      if (!keys.has(key)) {
        shown.element.remove()
        this.#shown.delete(key)
      }
    const added: Row[] = []
    let place = this.#list.firstElementChild
    for (const row of rows) {
      let there = this.#shown.get(row.key)
      if (!there) {
        there = { shown: this.#make(row), row }
        this.#shown.set(row.key, there)
        there.shown.update(row)
        added.push(row)
      } else if (!same(there.row, row)) {
        there.row = row
        there.shown.update(row)
      }
      if (there.shown.element === place) place = place.nextElementSibling
      else this.#list.insertBefore(there.shown.element, place)
    }
    return added
  }

  #make(row: Row): Shown {
    switch (row.kind) {
      case 'user':
        return new Said(this.context, this.actions) as Shown
      case 'reply':
        return new Reply(this.context, this.actions.retry) as Shown
      case 'day': {
        const name = dayName(row.at, this.context.locale.language)
        return { element: h('div', { class: 'day', part: 'day' }, name), update: () => undefined }
      }
    }
  }

  async #loadEarlier(): Promise<void> {
    const before = this.log.scrollHeight - this.log.scrollTop
    this.#earlier.disabled = true
    this.#following = false
    await this.context.conversation.earlier()
    requestAnimationFrame(() => {
      this.#earlier.disabled = false
      this.log.scrollTop = this.log.scrollHeight - before
      if (this.#earlier.hidden) this.log.focus({ preventScroll: true })
    })
  }
}

function same(one: Row, other: Row): boolean {
  if (one === other) return true
  const a = Object.entries(one)
  const b = other as unknown as Record<string, unknown>
  return a.every(([name, value]) => b[name] === value)
}
