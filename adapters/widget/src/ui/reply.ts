import { copy } from '../clipboard'
import { Markdown } from '../markdown/markdown'
import { safeAddress } from '../markdown/link'
import type { ReplyButton } from '../protocol'
import type { ReplyRow } from '../view'
import type { Context } from './context'
import { h, say, set } from './dom'
import { Feedback } from './feedback'
import { Files } from './files'
import { icon } from './icons'
import { shortTime, timeElement } from './times'

const COPIED_FOR = 1500

/** What the bot says: one node from the first token to the last button. */
export class Reply {
  readonly #body = h('div', { class: 'markdown', part: 'body', dir: 'auto' })
  readonly #buttons = h('div', { class: 'buttons', hidden: true })
  readonly #suggestions = h('div', { class: 'suggestions', hidden: true })
  readonly #time = timeElement()
  readonly #stopped: HTMLElement
  readonly #copy: HTMLButtonElement
  readonly #retry: HTMLButtonElement
  readonly #tools: HTMLElement
  readonly #files: Files
  readonly #feedback: Feedback
  readonly #markdown: Markdown
  readonly element: HTMLElement
  #row: ReplyRow | null = null

  constructor(
    private readonly context: Context,
    retry: () => void,
  ) {
    const { messages } = context.locale
    this.#markdown = new Markdown(this.#body, messages)
    this.#files = new Files(context.locale, (url) => context.conversation.api.address(url))
    this.#feedback = new Feedback(context)
    this.#stopped = h('span', { class: 'stopped', part: 'stopped', hidden: true }, messages.stopped)
    this.#copy = this.#tool('copy', 'copy-reply', messages.copy, () => void this.#copyAll())
    this.#retry = this.#tool('retry', 'retry', messages.retry, retry)
    this.#tools = h(
      'div',
      { class: 'tools', part: 'tools' },
      this.#copy,
      ...this.#feedback.buttons,
      this.#retry,
      this.#stopped,
      this.#time,
    )
    this.element = h(
      'article',
      { class: 'message reply', part: 'message', 'data-role': 'assistant', 'aria-label': context.title },
      this.#body,
      this.#files.element,
      this.#buttons,
      this.#tools,
      this.#feedback.form,
      this.#suggestions,
    )
    this.#body.addEventListener('click', (event) => void this.#copyCode(event))
  }

  update(row: ReplyRow): void {
    const before = this.#row
    this.#row = row
    this.#markdown.set(row.text, row.live)
    this.#body.hidden = row.text === ''
    if (before && before.live === row.live && row.live) return
    this.element.classList.toggle('live', row.live)
    this.element.classList.toggle('last', row.last)
    set(this.element, 'data-id', row.id || null)
    set(this.element, 'aria-busy', row.live ? 'true' : null)
    this.#tools.hidden = row.live
    this.#copy.hidden = row.text === ''
    this.#retry.hidden = !row.retryable
    this.#stopped.hidden = !row.stopped
    shortTime(this.#time, row.at, this.context.locale.language)
    this.#files.update(row.files)
    this.#feedback.update(row)
    if (before?.buttons !== row.buttons) this.#showButtons(row.buttons)
    if (before?.suggestions !== row.suggestions) this.#showSuggestions(row.suggestions)
  }

  #showButtons(buttons: readonly ReplyButton[]): void {
    this.#buttons.hidden = buttons.length === 0
    this.#buttons.replaceChildren(...buttons.map((button) => this.#button(button)))
  }

  #button(button: ReplyButton): HTMLElement {
    const style = { class: `choice ${button.style === 'primary' || button.style === 'danger' ? button.style : ''}` }
    const href = button.url ? safeAddress(button.url) : null
    if (href)
      return h('a', { ...style, part: 'button', href, target: '_blank', rel: 'noopener noreferrer nofollow' }, button.label)
    const click = (): void => {
      const { id: name = '', value = '', label } = button
      this.context.conversation.send({ kind: 'action', text: label, name, value, about: this.#row?.id ?? '' })
    }
    return h('button', { type: 'button', ...style, part: 'button', disabled: !button.id, click }, button.label)
  }

  #showSuggestions(suggestions: readonly string[]): void {
    this.#suggestions.hidden = suggestions.length === 0
    const buttons = suggestions.map((text) => {
      const click = (): void => this.context.conversation.send({ text })
      return h('button', { type: 'button', class: 'suggestion', part: 'suggestion', dir: 'auto', click }, text)
    })
    this.#suggestions.replaceChildren(...buttons)
  }

  #tool(name: 'copy' | 'retry', part: string, label: string, click: () => void): HTMLButtonElement {
    return h('button', { type: 'button', class: 'tool', part, title: label, 'aria-label': label, click }, icon(name))
  }

  async #copyAll(): Promise<void> {
    if (!(await copy(this.#markdown.text))) return
    this.#copy.replaceChildren(icon('check'))
    this.context.announcer.polite(this.context.locale.messages.copied)
    setTimeout(() => this.#copy.replaceChildren(icon('copy')), COPIED_FOR)
  }

  async #copyCode(event: Event): Promise<void> {
    const button = (event.target as Element).closest('.copy')
    const code = button?.closest('.code')?.querySelector('code')
    if (!button || !code || !(await copy(code.textContent))) return
    const { messages } = this.context.locale
    say(button, messages.copied)
    this.context.announcer.polite(messages.copied)
    setTimeout(() => say(button, messages.copy), COPIED_FOR)
  }
}
