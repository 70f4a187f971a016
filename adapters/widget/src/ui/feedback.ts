import type { RatingValue } from '../protocol'
import type { ReplyRow } from '../view'
import type { Context } from './context'
import { h, set } from './dom'
import { icon } from './icons'

/** Thumbs, and after one of them a line for a comment. */
export class Feedback {
  readonly #good: HTMLButtonElement
  readonly #bad: HTMLButtonElement
  readonly buttons: readonly HTMLButtonElement[]
  readonly form = h('form', { class: 'comment', part: 'feedback-form', hidden: true })
  #id = ''
  #value: RatingValue = 'positive'

  constructor(private readonly context: Context) {
    this.#good = this.#thumb('good', 'positive', 'feedback-up')
    this.#bad = this.#thumb('bad', 'negative', 'feedback-down')
    this.buttons = [this.#good, this.#bad]
  }

  update(row: ReplyRow): void {
    this.#id = row.id
    for (const [button, value] of [[this.#good, 'positive'], [this.#bad, 'negative']] as const) {
      button.hidden = !row.feedback || row.live
      set(button, 'aria-pressed', String(row.rating?.value === value))
    }
    if (!row.feedback) this.form.hidden = true
  }

  #thumb(name: 'good' | 'bad', value: RatingValue, part: string): HTMLButtonElement {
    const label = this.context.locale.messages[name]
    const click = (): void => this.#rate(value)
    return h('button', { type: 'button', class: 'tool', part, title: label, 'aria-label': label, click }, icon(name))
  }

  #rate(value: RatingValue): void {
    this.#value = value
    void this.context.conversation.rate(this.#id, value, '')
    if (!this.form.firstChild) this.#build()
    this.form.hidden = false
    const field = this.form.querySelector('textarea')
    field?.focus({ preventScroll: true })
    this.form.scrollIntoView({ block: 'nearest' })
  }

  #build(): void {
    const { messages } = this.context.locale
    const field = h('textarea', {
      rows: 2,
      maxlength: 2000,
      part: 'feedback-comment',
      placeholder: messages.comment,
      'aria-label': messages.comment,
      keydown: (event: KeyboardEvent) => {
        if (event.isComposing || event.key === 'Escape') {
          if (!event.isComposing) this.#close(event)
        } else if (event.key === 'Enter' && !event.shiftKey) {
          event.preventDefault()
          this.form.requestSubmit()
        }
      },
    })
    const send = h('button', { type: 'submit', class: 'small strong', part: 'feedback-send' }, messages.send)
    const cancel = h('button', { type: 'button', class: 'small', click: (event: Event) => this.#close(event) }, messages.cancel)
    this.form.append(field, h('div', { class: 'row' }, cancel, send))
    this.form.addEventListener('submit', (event) => {
      event.preventDefault()
      const comment = field.value.trim()
      if (comment) void this.context.conversation.rate(this.#id, this.#value, comment)
      field.value = ''
      this.#close(event)
      this.context.announcer.polite(messages.thanks)
    })
  }

  #close(event: Event): void {
    event.stopPropagation()
    this.form.hidden = true
    const button = this.#value === 'positive' ? this.#good : this.#bad
    button.focus({ preventScroll: true })
  }
}
