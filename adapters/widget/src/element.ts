import { DEFAULT_ACCENT, palette, parseColour } from './accent'
import type { Conversation } from './conversation'
import { type Locale, resolve, wantedLocales } from './i18n'
import { OBSERVED, type Options, optionsOf } from './options'
import { Announcer } from './ui/announcer'
import { h, set, sheet } from './ui/dom'
import { Launcher } from './ui/launcher'
import { Panel, PANEL_ID } from './ui/panel'
import baseCss from './ui/styles/base.css?inline'
import composerCss from './ui/styles/composer.css?inline'
import launcherCss from './ui/styles/launcher.css?inline'
import markdownCss from './ui/styles/markdown.css?inline'
import messageCss from './ui/styles/message.css?inline'
import panelCss from './ui/styles/panel.css?inline'

const SMALL = '(max-width: 479.98px), (max-height: 419.98px) and (pointer: coarse)'
const FOCUSABLE = 'a[href], button:not([disabled]), textarea, input, [tabindex="0"]'

/** What the script knows and every element shares. */
export interface Site {
  server: string
  defaults: DOMStringMap
  conversation(locale: string): Conversation
  emit(name: 'open' | 'close'): void
}

/** `<botkit-chat>`: the panel where it stands, or with `floating` a launcher that opens it. */
export class BotkitChat extends HTMLElement {
  static readonly observedAttributes = OBSERVED
  static site: Site

  #root: HTMLElement | null = null
  #launcher: Launcher | null = null
  #panel: Panel | null = null
  #conversation: Conversation | null = null
  #locale: Locale | null = null
  #options: Options | null = null
  #unwatch: (() => void) | null = null
  #unhear: (() => void) | null = null
  #stops: (() => void)[] = []
  /** It was open when it was taken out of the page. */
  #left = false

  get isOpen(): boolean {
    return this.#unwatch !== null
  }

  get floating(): boolean {
    return this.hasAttribute('floating')
  }

  connectedCallback(): void {
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    const fresh = !this.#root
    if (fresh) {
      shadow.adoptedStyleSheets = [sheet(baseCss), sheet(launcherCss)]
      this.#build(shadow)
    } else {
      this.#panel?.attach()
      this.#hear()
      this.#paint()
    }
    this.#follow()
    if (!this.floating || (fresh ? this.#options?.open : this.#left)) this.open(false)
  }

  /** What is taken out of the page may be put in again: it keeps what is written in it. */
  disconnectedCallback(): void {
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#left = this.isOpen
    this.#unhear?.()
    this.#unwatch?.()
    this.#unwatch = null
    this.#panel?.detach()
  }

  attributeChangedCallback(name: string): void {
    if (!this.#root || !this.shadowRoot) return
    if (!this.isConnected) return this.#tear()
    if (name === 'data-theme' || name === 'data-accent') return this.#paint()
    const open = this.isOpen
    this.#tear()
    this.#build(this.shadowRoot)
    if (open) this.open(false)
  }

  open(focus = true): void {
    const { floating } = this
    if (this.isOpen || !this.#root || !this.#conversation) return
    const panel = this.#panel ?? this.#buildPanel()
    panel.element.hidden = false
    this.#root.classList.add('open')
    this.#unwatch = this.#conversation.watch(this)
    panel.shown()
    this.#draw()
    this.#fit()
    if (focus && floating) panel.focus()
    if (floating) BotkitChat.site.emit('open')
  }

  close(): void {
    if (!this.isOpen || !this.floating) return
    const inside = this.shadowRoot?.activeElement
    this.#unwatch?.()
    this.#unwatch = null
    if (this.#panel) this.#panel.element.hidden = true
    this.#root?.classList.remove('open')
    this.#draw()
    if (inside) this.#launcher?.element.focus({ preventScroll: true })
    BotkitChat.site.emit('close')
  }

  toggle(): void {
    if (this.isOpen) this.close()
    else this.open()
  }

  #build(shadow: ShadowRoot): void {
    const { server, defaults } = BotkitChat.site
    const options = optionsOf(defaults, this.dataset, server)
    const locale = resolve(wantedLocales(options.locale))
    const conversation = BotkitChat.site.conversation(locale.tag)
    this.#options = options
    this.#locale = locale
    this.#conversation = conversation
    this.#root = h('div', {
      class: 'root',
      dir: locale.direction,
      lang: locale.language,
      'data-position': options.position === 'left' || options.position === 'right' ? options.position : null,
      keydown: (event: KeyboardEvent) => this.#key(event),
    })
    this.#paint()
    if (this.floating) {
      this.#launcher = new Launcher(locale, () => this.toggle())
      this.#root.append(this.#launcher.element)
    }
    shadow.replaceChildren(this.#root)
    this.#hear()
  }

  #hear(): void {
    this.#unhear = this.#conversation?.on('change', () => this.#draw()) ?? null
    this.#draw()
  }

  #tear(): void {
    this.#unhear?.()
    this.#unwatch?.()
    this.#unwatch = null
    this.#panel?.destroy()
    this.#panel = null
    this.#launcher = null
    this.#root?.remove()
    this.#root = null
  }

  #buildPanel(): Panel {
    const { shadowRoot, floating } = this
    const [root, options, locale, conversation] = [this.#root, this.#options, this.#locale, this.#conversation]
    if (!shadowRoot || !root || !options || !locale || !conversation) throw new Error('botkit: not connected')
    if (shadowRoot.adoptedStyleSheets.length === 2)
      shadowRoot.adoptedStyleSheets.push(sheet(panelCss), sheet(messageCss), sheet(markdownCss), sheet(composerCss))
    const title = options.title || locale.messages.title
    const announcer = new Announcer()
    const context = { conversation, locale, title, greeting: options.greeting, announcer }
    this.#panel = new Panel(context, floating, () => this.close())
    root.prepend(this.#panel.element)
    return this.#panel
  }

  #draw(): void {
    const unread = this.isOpen ? 0 : (this.#conversation?.unread ?? 0)
    this.#launcher?.update(this.isOpen, unread, this.#panel ? PANEL_ID : '')
  }

  /** The colours of the accent and of the theme, by properties that the styles use. */
  #paint(): void {
    const root = this.#root
    if (!root) return
    const { accent, theme } = optionsOf(BotkitChat.site.defaults, this.dataset, '')
    const chosen = accent || getComputedStyle(this).getPropertyValue('--botkit-accent')
    const colours = palette(parseColour(chosen) ?? DEFAULT_ACCENT)
    const dark = theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark'
    root.style.setProperty('--accent', colours.accent)
    root.style.setProperty('--on-accent', colours.onAccent)
    root.style.setProperty('--accent-text', dark ? colours.onDark : colours.onLight)
    set(root, 'data-theme', dark ? 'dark' : 'light')
  }

  /** Follows the system's theme, the size of the window and the keyboard on the screen. */
  #follow(): void {
    const listen = (target: EventTarget, name: string, listener: () => void): void => {
      target.addEventListener(name, listener)
      this.#stops.push(() => target.removeEventListener(name, listener))
    }
    listen(matchMedia('(prefers-color-scheme: dark)'), 'change', () => this.#paint())
    listen(matchMedia(SMALL), 'change', () => this.#fit())
    if (!window.visualViewport || !this.floating) return
    listen(window.visualViewport, 'resize', () => this.#fit())
    listen(window.visualViewport, 'scroll', () => this.#fit())
  }

  #fit(): void {
    const panel = this.#panel?.element
    if (!panel || !this.floating) return
    const full = matchMedia(SMALL).matches
    this.#root?.classList.toggle('full', full)
    set(panel, 'aria-modal', full ? 'true' : null)
    const { visualViewport: seen } = window
    panel.style.setProperty('--seen-height', full && seen ? `${seen.height}px` : '')
    panel.style.setProperty('--seen-top', full && seen ? `${seen.offsetTop}px` : '')
  }

  #key(event: KeyboardEvent): void {
    // The page's own shortcuts are not meant by what is written here.
    event.stopPropagation()
    if (event.key === 'Escape' && !event.isComposing) this.close()
    else if (event.key === 'Tab' && this.#root?.classList.contains('full') && this.isOpen) this.#cycle(event)
  }

  /** Keeps the focus in a panel that covers the page. */
  #cycle(event: KeyboardEvent): void {
    const all = [...(this.#panel?.element.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])]
    const stops = all.filter((one) => one.checkVisibility() && one.tabIndex >= 0)
    const [first, last] = [stops[0], stops.at(-1)]
    const at = this.shadowRoot?.activeElement
    if (event.shiftKey && (at === first || at === this.#panel?.element)) last?.focus()
    else if (!event.shiftKey && at === last) first?.focus()
    else return
    event.preventDefault()
  }
}
