import { filesOf } from '../clipboard'
import { isReply } from '../conversation'
import type { Entry } from '../protocol'
import { view } from '../view'
import { Composer } from './composer'
import type { Context } from './context'
import { h, say, set } from './dom'
import { icon } from './icons'
import { Menu } from './menu'
import { Transcript } from './transcript'

/** Shorter breaks are not worth a word. */
const BREAK = 2_500
const READ_OUT_AT_MOST = 1_500

export const PANEL_ID = 'botkit-panel'

/** The whole conversation. Changes are drawn once per frame. */
export class Panel {
  readonly #transcript: Transcript
  readonly #composer: Composer
  readonly #menu: Menu
  readonly #banner = h('div', { class: 'banner', part: 'banner', hidden: true })
  readonly #drop: HTMLElement
  #stops: (() => void)[] = []
  readonly element: HTMLElement
  #drawing = false
  #broken: ReturnType<typeof setTimeout> | undefined
  #brokenLong = false
  #dragged = 0

  constructor(
    private readonly context: Context,
    floating: boolean,
    close: () => void,
  ) {
    const { messages } = context.locale
    this.#transcript = new Transcript(context, { edit: () => this.#edit(), retry: () => this.#retry() })
    this.#composer = new Composer(context)
    this.#menu = new Menu(context)
    this.#drop = h('div', { class: 'drop', part: 'drop', hidden: true }, icon('attach'), messages.attach)
    const shut = h(
      'button',
      { type: 'button', class: 'tool', part: 'close', title: messages.close, 'aria-label': messages.close, click: close },
      icon('close'),
    )
    this.element = h(
      'section',
      {
        id: PANEL_ID,
        class: `panel ${floating ? 'floating' : 'inline'}`,
        part: 'panel',
        role: floating ? 'dialog' : 'region',
        'aria-label': context.title,
        tabindex: -1,
      },
      h(
        'header',
        { class: 'header', part: 'header' },
        h('span', { class: 'avatar', part: 'avatar', 'aria-hidden': 'true' }, icon('spark')),
        h('h2', { class: 'title', part: 'title', dir: 'auto' }, context.title),
        this.#menu.element,
        floating && shut,
      ),
      this.#banner,
      this.#transcript.element,
      this.#composer.element,
      this.#drop,
      context.announcer.element,
    )
    this.#listen()
    this.attach()
  }

  attach(): void {
    const { conversation } = this.context
    this.#stops = [
      conversation.on('change', () => this.#schedule()),
      conversation.on('message', (entry) => this.#announce(entry)),
    ]
    this.draw()
  }

  detach(): void {
    for (const stop of this.#stops) stop()
    clearTimeout(this.#broken)
    this.#broken = undefined
  }

  /** Brings the visitor to where they left. */
  shown(): void {
    this.draw()
    this.#transcript.end()
  }

  focus(): void {
    this.#composer.focus()
  }

  destroy(): void {
    this.detach()
    this.element.remove()
  }

  draw(): void {
    this.#drawing = false
    const now = view(this.context.conversation.state)
    this.#transcript.update(now)
    this.#composer.update(now)
    this.#menu.update()
    this.#drawBanner()
  }

  #schedule(): void {
    if (this.#drawing) return
    this.#drawing = true
    // Frames stop while a page is hidden; what is drawn must still be there when it comes back.
    if (document.hidden) setTimeout(() => this.draw(), 250)
    else requestAnimationFrame(() => this.draw())
  }

  #listen(): void {
    const { element } = this
    element.addEventListener('pointerdown', (event) => this.#menu.touched(event.target))
    element.addEventListener('dragenter', (event) => this.#drag(event, 1))
    element.addEventListener('dragleave', (event) => this.#drag(event, -1))
    element.addEventListener('dragover', (event) => event.preventDefault())
    element.addEventListener('drop', (event) => {
      event.preventDefault()
      this.#dragged = 0
      this.#drop.hidden = true
      this.#composer.take(filesOf(event.dataTransfer))
    })
  }

  #drag(event: DragEvent, by: number): void {
    if (!event.dataTransfer?.types.includes('Files') || !this.#composer.takesFiles) return
    event.preventDefault()
    this.#dragged += by
    this.#drop.hidden = this.#dragged <= 0
  }

  #edit(): void {
    const { last } = view(this.context.conversation.state)
    if (last) this.#composer.edit(last)
  }

  #retry(): void {
    const { conversation } = this.context
    const { last } = view(conversation.state)
    if (last) conversation.ask(last)
    this.#composer.focus()
  }

  #drawBanner(): void {
    const { messages } = this.context.locale
    const { link } = this.context.conversation
    const offline = !navigator.onLine
    if (link === 'lost' || link === 'connecting') {
      this.#broken ??= setTimeout(() => {
        this.#brokenLong = true
        this.#schedule()
      }, BREAK)
    } else {
      clearTimeout(this.#broken)
      this.#broken = undefined
      this.#brokenLong = false
    }
    const text = link === 'refused' ? messages.unavailable : offline ? messages.offline : this.#brokenLong ? messages.connecting : ''
    if (text && text !== this.#banner.textContent) this.context.announcer.polite(text)
    this.#banner.hidden = text === ''
    set(this.element, 'data-link', link)
    say(this.#banner, text)
  }

  #announce(entry: Entry): void {
    if (!isReply(entry) || !entry.text || !this.context.conversation.watched) return
    // Drawn by then: the words as they stand there, for Markdown's marks are not to be read out.
    requestAnimationFrame(() => {
      const blocks = this.element.querySelectorAll<HTMLElement>(`[data-id="${CSS.escape(entry.id)}"] .markdown > *`)
      const words = [...blocks].map((block) => block.querySelector('pre')?.textContent ?? block.innerText).join('\n')
      this.context.announcer.polite(`${this.context.title}: ${words.slice(0, READ_OUT_AT_MOST)}`)
    })
  }
}
