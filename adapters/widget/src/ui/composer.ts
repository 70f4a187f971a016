import { filesOf } from '../clipboard'
import { format } from '../i18n'
import type { UserEntry } from '../protocol'
import type { View } from '../view'
import type { Context } from './context'
import { h, say, set } from './dom'
import { icon } from './icons'
import { Tray } from './tray'

const TALLEST = 168
const ROOM_TO_TELL = 500
const OBJECTION_FOR = 8_000

/** Where the visitor writes. */
export class Composer {
  readonly #field: HTMLTextAreaElement
  readonly #send: HTMLButtonElement
  readonly #stop: HTMLButtonElement
  readonly #attach: HTMLButtonElement
  readonly #picker: HTMLInputElement
  readonly #counter = h('span', { class: 'counter', part: 'counter', hidden: true })
  readonly #objection = h('p', { class: 'objection', part: 'objection', hidden: true })
  readonly #editing: HTMLElement
  readonly #tray: Tray
  readonly element: HTMLFormElement
  #edited: UserEntry | null = null
  #view: View | null = null
  #person: number
  /** The message whose reply is being stopped. */
  #stopped = ''
  #quiet: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly context: Context) {
    const { messages } = context.locale
    this.#person = context.conversation.person
    this.#tray = new Tray(
      context,
      (sentence) => this.#object(sentence),
      () => this.#refresh(),
    )
    this.#field = h('textarea', {
      rows: 1,
      part: 'composer',
      dir: context.locale.direction,
      placeholder: messages.placeholder,
      'aria-label': messages.placeholder,
      enterkeyhint: 'send',
      autocomplete: 'off',
      input: () => this.#typed(),
      keydown: (event: KeyboardEvent) => this.#key(event),
      paste: (event: ClipboardEvent) => this.#pasted(event),
    })
    this.#picker = h('input', { type: 'file', multiple: true, hidden: true, part: 'picker', change: () => this.#picked() })
    this.#attach = this.#button('attach', messages.attach, 'attach', () => this.#picker.click())
    this.#send = h(
      'button',
      { type: 'submit', class: 'round', part: 'send', title: messages.send, 'aria-label': messages.send },
      icon('send'),
    )
    this.#stop = this.#button('stop', messages.stop, 'stop', () => this.#stopReply())
    this.#stop.classList.add('round')
    const cancel = h(
      'button',
      { type: 'button', class: 'small', part: 'cancel', click: () => this.cancel() },
      messages.cancel,
    )
    this.#editing = h('div', { class: 'editing', part: 'editing', hidden: true }, icon('edit'), h('span', {}, messages.edit), cancel)
    this.element = h(
      'form',
      { class: 'composer', submit: (event: Event) => this.#submitted(event) },
      this.#objection,
      h(
        'div',
        { class: 'frame' },
        this.#editing,
        this.#tray.element,
        this.#picker,
        h('div', { class: 'line' }, this.#attach, this.#field, this.#counter, this.#stop, this.#send),
      ),
    )
  }

  focus(): void {
    this.#field.focus({ preventScroll: true })
  }

  update(view: View): void {
    const limits = this.context.conversation.limits
    this.#view = view
    this.#mine()
    this.#attach.hidden = !limits?.files || limits.file_types.length === 0
    if (limits) set(this.#picker, 'accept', limits.file_types.join(','))
    if (this.#edited && view.last?.id !== this.#edited.id && !view.busy) this.cancel()
    this.#refresh()
  }

  /** Takes a message back into the field; what is sent then replaces it. */
  edit(message: UserEntry): void {
    this.#edited = message
    this.#editing.hidden = false
    this.#tray.show(message.files ?? [])
    this.#write(message.text ?? '')
    this.focus()
  }

  /** Ends editing; false when nothing was edited. */
  cancel(): boolean {
    if (!this.#edited) return false
    this.#edited = null
    this.#editing.hidden = true
    this.#tray.clear()
    this.#write('')
    return true
  }

  /** Files that were dropped. */
  take(files: readonly File[]): void {
    if (this.#attach.hidden || files.length === 0) return
    void this.#tray.add(files).catch((error: unknown) => this.context.conversation.report(error))
    this.focus()
  }

  get takesFiles(): boolean {
    return !this.#attach.hidden
  }

  /** What somebody left here who has gone is not the next one's. */
  #mine(): void {
    const { person } = this.context.conversation
    if (person === this.#person) return
    this.#person = person
    this.#edited = null
    this.#editing.hidden = true
    this.#tray.clear()
    this.#write('')
    this.#object('')
    this.context.announcer.polite('')
  }

  #button(name: 'attach' | 'stop', label: string, part: string, click: () => void): HTMLButtonElement {
    return h('button', { type: 'button', class: 'tool', part, title: label, 'aria-label': label, click }, icon(name))
  }

  #write(text: string): void {
    this.#field.value = text
    this.#typed()
  }

  #typed(): void {
    const { style } = this.#field
    // An empty field takes the direction of its placeholder, a text its own.
    this.#field.dir = this.#field.value ? 'auto' : this.context.locale.direction
    style.setProperty('height', 'auto')
    style.setProperty('height', `${Math.min(this.#field.scrollHeight, TALLEST)}px`)
    this.#refresh()
  }

  #key(event: KeyboardEvent): void {
    // Enter chooses among an input method's words; 229 is how older browsers say so.
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      this.element.requestSubmit()
    } else if (event.key === 'Escape' && this.cancel()) {
      event.stopPropagation()
    }
  }

  #pasted(event: ClipboardEvent): void {
    const files = filesOf(event.clipboardData)
    if (files.length === 0) return
    event.preventDefault()
    this.take(files)
  }

  #picked(): void {
    this.take([...(this.#picker.files ?? [])])
    this.#picker.value = ''
  }

  get #ready(): boolean {
    const text = this.#field.value.trim()
    return (text !== '' || !this.#tray.empty) && !this.#tray.uploading && this.#room >= 0
  }

  /** How many characters more; counted as the server does. */
  get #room(): number {
    const limit = this.context.conversation.limits?.text ?? Infinity
    const { value } = this.#field
    return limit - (value.length > limit - ROOM_TO_TELL ? [...value.trim()].length : value.length)
  }

  #submitted(event: Event): void {
    event.preventDefault()
    this.#mine()
    if (this.#room < 0) this.#object(format(this.context.locale.messages.tooLong, { count: -this.#room }))
    if (!this.#ready) return
    const text = this.#field.value.trim()
    const attachments = this.#tray.attachments
    const replaces = this.#edited?.id ?? ''
    this.#edited = null
    this.#editing.hidden = true
    this.#tray.clear()
    this.#write('')
    this.#object('')
    this.context.conversation.send({ text, attachments, replaces })
    this.focus()
  }

  #stopReply(): void {
    const about = this.#view?.replyTo
    this.focus()
    if (!about) return
    // A handler that does not stream goes on until its reply.
    this.#stopped = about
    this.#refresh()
    void this.context.conversation.stop(about).then((said) => {
      if (!said) this.#stopped = ''
      this.#refresh()
    })
  }

  #refresh(): void {
    const idle = this.#field.value.trim() === '' && this.#tray.empty
    const stopping = Boolean(this.#view?.busy && this.#view.replyTo) && idle
    this.#stop.hidden = !stopping
    this.#stop.disabled = this.#stopped === this.#view?.replyTo
    this.#send.hidden = stopping
    set(this.#send, 'aria-disabled', String(!this.#ready))
    const room = this.#room
    this.#counter.hidden = room > ROOM_TO_TELL
    this.#counter.classList.toggle('over', room < 0)
    say(this.#counter, room > ROOM_TO_TELL ? '' : String(room))
  }

  #object(sentence: string): void {
    clearTimeout(this.#quiet)
    const before = sentence && !this.#objection.hidden ? `${this.#objection.textContent}\n` : ''
    this.#objection.hidden = sentence === ''
    say(this.#objection, before + sentence)
    if (!sentence) return
    this.context.announcer.urgent(sentence)
    this.#quiet = setTimeout(() => this.#object(''), OBJECTION_FOR)
  }
}
