import { format } from '../i18n'
import type { UserRow } from '../view'
import type { Context } from './context'
import { h, say, set } from './dom'
import { Files } from './files'
import { icon } from './icons'
import { shortTime, timeElement } from './times'

/** What the visitor said, and whether it has arrived. */
export class Said {
  readonly #text = h('div', { class: 'bubble', part: 'body', dir: 'auto' })
  readonly #time = timeElement()
  readonly #note = h('span', { class: 'note', part: 'note' })
  readonly #again: HTMLButtonElement
  readonly #discard: HTMLButtonElement
  readonly #edit: HTMLButtonElement
  readonly #retry: HTMLButtonElement
  readonly #files: Files
  readonly element: HTMLElement
  #id = ''

  constructor(
    private readonly context: Context,
    actions: { edit: () => void; retry: () => void },
  ) {
    const { messages } = context.locale
    const { conversation } = context
    this.#files = new Files(context.locale, (url) => conversation.api.address(url))
    this.#again = h(
      'button',
      { type: 'button', class: 'small', part: 'again', click: () => conversation.again(this.#id) },
      messages.retry,
    )
    this.#discard = h(
      'button',
      { type: 'button', class: 'small', part: 'discard', click: () => conversation.discard(this.#id) },
      messages.cancel,
    )
    this.#edit = tool('edit', messages.edit, actions.edit)
    this.#retry = tool('retry', messages.retry, actions.retry)
    this.element = h(
      'article',
      { class: 'message said', part: 'message', 'data-role': 'user', 'aria-label': messages.you },
      this.#files.element,
      this.#text,
      h('div', { class: 'tools', part: 'tools' }, this.#note, this.#again, this.#discard, this.#time, this.#retry, this.#edit),
    )
  }

  update(row: UserRow): void {
    this.#id = row.id
    const failed = row.state === 'failed'
    set(this.element, 'data-id', row.id)
    set(this.element, 'data-state', row.state)
    say(this.#text, this.#shown(row))
    this.#text.hidden = row.text === ''
    this.#files.update(row.files)
    const note = this.#state(row)
    say(this.#note, note)
    this.#note.hidden = note === ''
    this.#again.hidden = this.#discard.hidden = !failed
    this.#edit.hidden = !row.editable
    this.#retry.hidden = !row.retryable
    shortTime(this.#time, note ? 0 : row.at, this.context.locale.language)
  }

  /** Commands that the menu offers are shown as they stand in it. */
  #shown(row: UserRow): string {
    const { messages } = this.context.locale
    if (!row.command) return row.text
    return row.text.trim() === '/human' ? messages.human : row.text
  }

  #state({ state, reason }: UserRow): string {
    const { messages } = this.context.locale
    if (state === 'failed') return reason ? `${messages.failed}: ${reason}` : messages.failed
    if (state === 'waiting') return reason ? format(messages.limited, { count: reason }) : messages.waiting
    return state === 'sending' ? messages.sending : ''
  }
}

function tool(name: 'edit' | 'retry', label: string, click: () => void): HTMLButtonElement {
  return h('button', { type: 'button', class: 'tool', part: name, title: label, 'aria-label': label, click }, icon(name))
}
