import { Api, final, passing, Refusal, Unreachable } from './api'
import { Outbox } from './outbox'
import type { AssistantEntry, Entry, EntryKind, Limits, RatingValue, SessionAnswer, StreamEvent, UserEntry } from './protocol'
import { Memory } from './memory'
import { type Remembered, uuid, Vault } from './session'
import { Sessions, type SessionsOwner, Superseded } from './sessions'
import { type Action, busy, EMPTY, reduce, snapshot, type State } from './store'
import { backoff, hold, type Link, type StreamOwner } from './stream'
import { type TabMessage, Tabs } from './tabs'
import { type Attachment, kept } from './uploads'

/** What is sent; what is left out is empty. */
export interface Sending {
  kind?: EntryKind
  text: string
  attachments?: readonly Attachment[]
  replaces?: string
  name?: string
  value?: string
  about?: string
  /** Whether it is shown before the server has it. */
  shown?: boolean
}

export interface ConversationEvents {
  change: undefined
  /** An entry that was not there before, here or on an earlier page. */
  message: Entry
  error: { code: string; message: string }
}

type Listener<K extends keyof ConversationEvents> = (detail: ConversationEvents[K]) => void

const LINGER = 60_000

/** One visitor's conversation: everything but what it looks like. */
export class Conversation implements StreamOwner, SessionsOwner {
  state: State = EMPTY
  link: Link = 'idle'
  /** What the bot is told. */
  locale = navigator.language
  /** Another number, another person. */
  person = 0
  readonly api: Api

  readonly #memory: Memory
  readonly #sessions: Sessions
  readonly #outbox = new Outbox(this)
  readonly #listeners = new Map<keyof ConversationEvents, Set<(detail: never) => void>>()
  readonly #viewers = new Set<object>()
  #cursor = ''
  #tabs: Tabs | null = null
  #awake = false
  #hiddenSince = 0
  #failures = 0
  #again: ReturnType<typeof setTimeout> | undefined
  #away = false

  constructor(server: string) {
    this.api = new Api(server)
    const vault = new Vault(server)
    this.#memory = new Memory(vault)
    this.#sessions = new Sessions(this.api, vault, this)
    document.addEventListener('visibilitychange', () => this.#visibility())
    addEventListener('online', () => {
      this.#settle()
      this.#changed()
    })
    addEventListener('offline', () => this.#changed())
    // A page in the back-forward cache must not hold the stream for the other tabs.
    addEventListener('pagehide', () => {
      this.#away = true
      this.#leave()
    })
    addEventListener('pageshow', () => {
      this.#away = false
      this.#sessions.elsewhere()
      this.#settle()
    })
  }

  get session(): SessionAnswer | null {
    return this.#sessions.current
  }

  get limits(): Limits | null {
    return this.session?.limits ?? null
  }

  get remembered(): Remembered | null {
    return this.#memory.value
  }

  on<K extends keyof ConversationEvents>(name: K, listener: Listener<K>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as (detail: never) => void)
    return () => listeners.delete(listener as (detail: never) => void)
  }

  emit<K extends keyof ConversationEvents>(name: K, detail: ConversationEvents[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as Listener<K>)(detail)
  }

  /** Goes on where the page before was left in the middle of a reply. */
  resume(): void {
    if (!this.remembered?.pending) return
    this.#awake = true
    this.#settle()
  }

  /** Somebody looks, as long as the answer is not called. */
  watch(viewer: object): () => void {
    this.#viewers.add(viewer)
    this.#awake = true
    this.#settle()
    this.seen()
    this.#greet()
    void this.begin().catch((error: unknown) => this.report(error))
    return () => {
      this.#viewers.delete(viewer)
      this.#settle()
    }
  }

  get watched(): boolean {
    return this.#viewers.size > 0
  }

  /** The number of replies that nobody has looked at. */
  get unread(): number {
    return this.#memory.unread(this.state.messages)
  }

  /** What is shown was looked at. */
  seen(): void {
    this.#memory.seen(this.state.log.at(-1)?.seq ?? 0)
  }

  send(sending: Sending): void {
    this.#awake = true
    this.#memory.change({ pending: true, start: '' })
    this.#outbox.add(uuid(), sending)
    this.#settle()
  }

  /** Asks the same again; what was answered goes. */
  ask({ id, text = '', files = [] }: UserEntry): void {
    const session = this.session?.session ?? ''
    this.send({ text, attachments: files.map((file) => kept(file, session)), replaces: id })
  }

  again(id: string): void {
    this.#outbox.again(id)
  }

  discard(id: string): void {
    this.#outbox.discard(id)
  }

  /** Ends the reply where it is; false when the server does not know. */
  async stop(about: string): Promise<boolean> {
    const body = { id: uuid(), kind: 'stop' as const, about }
    return (await this.#attempt((session) => this.api.send(session.token, body))) !== null
  }

  async rate(about: string, value: RatingValue, comment: string): Promise<void> {
    this.dispatch({ event: 'rate', about, value, comment })
    const said = await this.#attempt((session) => this.api.rate(session.token, { message: about, value, comment }))
    if (!said) this.dispatch({ event: 'unrate', about })
  }

  async earlier(): Promise<void> {
    const first = this.state.log[0]?.seq
    if (first === undefined) return
    const page = await this.#attempt((session) => this.api.earlier(session.token, first))
    if (page) this.dispatch({ event: 'earlier', entries: page.entries, more: page.more })
  }

  /** Gives an attachment to the session; throws what the server says. */
  async upload(attachment: Attachment): Promise<void> {
    const { file } = attachment
    if (!file) return
    await this.call(async (session) => {
      attachment.info = await this.api.upload(session.token, file)
      attachment.session = session.session
    })
  }

  /** Another person from here on; null for somebody unknown. */
  identify(token: string | null): void {
    this.#sessions.identify(token)
    if (this.#awake && !this.session) void this.begin().catch((error: unknown) => this.report(error))
  }

  dispatch(action: Action): void {
    const before = this.state
    this.state = reduce(before, action)
    if (this.state === before) return
    if (busy(before) !== busy(this.state) || before.outgoing.length !== this.state.outgoing.length) this.#settle()
    this.#changed()
  }

  begin(): Promise<SessionAnswer> {
    return this.#sessions.begin()
  }

  call<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T> {
    return this.#sessions.call(action)
  }

  /** Tells the page, and in the console the developer. */
  report(error: unknown): void {
    if (error instanceof Superseded) return
    const refusal = error instanceof Refusal ? error : null
    if (refusal?.code === 'origin_not_allowed') this.#sessions.block()
    this.emit('error', {
      code: refusal?.code || (error instanceof Unreachable ? 'unreachable' : 'error'),
      message: error instanceof Error ? error.message : String(error),
    })
    if (refusal && !passing(error)) console.warn(`botkit: ${refusal.status} ${refusal.code}: ${refusal.message}`)
  }

  // What the stream asks of its owner.

  connect(signal: AbortSignal): Promise<Response> {
    return this.call((session) => this.api.stream(session.token, session.session, this.#cursor, signal))
  }

  cursor(): string {
    return this.#cursor
  }

  take(event: StreamEvent, id: string): void {
    this.#take(event, id)
    this.#tabs?.tell({ kind: 'event', event, id })
  }

  linked(link: Link): void {
    if (link === this.link) return
    this.link = link
    this.#tabs?.tell({ kind: 'link', link })
    this.#changed()
  }

  alive(): void {
    this.#tabs?.tell({ kind: 'beat' })
  }

  refused(error: unknown): void {
    this.report(error)
  }

  // What the sessions ask of theirs.

  begun(session: SessionAnswer): void {
    this.#failures = 0
    this.#memory.begun(session, this.state.outgoing.length > 0)
    if (this.#tabs && this.#tabs.name !== this.#tabsName) this.#another()
    this.#settle()
    this.#changed()
  }

  left(): void {
    this.person += 1
    this.#outbox.clear()
    this.#another()
    this.state = EMPTY
    this.link = 'idle'
    this.#failures = 0
    this.#settle()
    this.#changed()
  }

  get #tabsName(): string {
    return `botkit ${this.api.server} ${this.session?.session ?? ''}`
  }

  /** Another session than before: nothing of the old one may stay. */
  #another(): void {
    this.#leave()
    this.#cursor = ''
    const { outgoing } = this.state
    this.state = { ...EMPTY, outgoing: outgoing.filter((one) => one.state !== 'sent') }
  }

  #leave(): void {
    this.#tabs?.close()
    this.#tabs = null
  }

  #visibility(): void {
    this.#hiddenSince = document.hidden ? Date.now() : 0
    if (document.hidden) setTimeout(() => this.#settle(), LINGER + 100)
    this.#settle()
    if (!document.hidden && this.watched) this.seen()
  }

  /** Holds the stream as long as there is a reason to. */
  #settle(): void {
    if (this.#away) return
    const lingering = this.#awake && !(this.#hiddenSince && Date.now() - this.#hiddenSince >= LINGER)
    const wanted = this.watched || lingering || busy(this.state) || this.#outbox.busy
    if (!wanted) {
      this.#tabs?.want(false)
      return
    }
    if (!this.session) return this.#beginQuietly()
    this.#tabs ??= new Tabs(
      this.#tabsName,
      (signal) => this.#lead(signal),
      (message) => this.#hear(message),
    )
    this.#tabs.want(true)
  }

  #beginQuietly(): void {
    if (this.#sessions.beginning) return
    clearTimeout(this.#again)
    if (this.link !== 'refused') this.link = 'connecting'
    const again = (error: unknown): void => {
      if (error instanceof Superseded) return
      this.link = this.#sessions.blocked || final(error) ? 'refused' : 'lost'
      this.#changed()
      if (final(error)) return
      const asked = error instanceof Refusal ? error.retryAfter * 1000 : 0
      this.#failures += 1
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.#settle(), Math.max(asked, backoff(this.#failures)))
    }
    this.begin().catch(again)
  }

  async #lead(signal: AbortSignal): Promise<void> {
    await hold(this, signal)
    // Where the server refuses, the turn is kept: the other tabs would be refused as well.
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }

  #hear(message: TabMessage): void {
    if (message.kind === 'hello') {
      if (!this.#tabs?.leads) return
      this.#tabs.tell({ kind: 'snapshot', snapshot: snapshot(this.state), id: this.#cursor })
      this.#tabs.tell({ kind: 'link', link: this.link })
    } else if (message.kind === 'event') {
      this.#take(message.event, message.id)
    } else if (message.kind === 'snapshot' && !this.#tabs?.leads) {
      if (message.id) this.#moved(message.id)
      this.dispatch({ event: 'adopt', snapshot: message.snapshot })
      if (this.watched) this.seen()
    } else if (message.kind === 'link') {
      this.link = message.link
      this.#changed()
    }
  }

  #take(event: StreamEvent, id: string): void {
    if (id) this.#moved(id)
    if (event.event === 'entry' && this.state.outgoing.some((one) => one.id === event.entry.id)) this.#memory.live = true
    this.dispatch(event)
    if (event.event === 'entry') this.#entered(event.entry)
    if (event.event !== 'status') return
    this.#memory.live = true
    if (!this.#outbox.busy) this.#memory.change({ pending: event.status.state !== 'idle' })
    this.#greet()
  }

  #moved(id: string): void {
    this.#cursor = id
    this.#memory.moved(id)
  }

  #entered(entry: Entry): void {
    if (this.#memory.entered(entry, this.watched && !document.hidden)) this.emit('message', entry)
  }

  /** Lets the bot speak first where nobody has said anything. */
  #greet(): void {
    const start = this.remembered?.start
    if (!start || !this.watched || !this.state.status || this.state.log.length || this.state.outgoing.length) return
    this.#memory.change({ start: '' })
    const body = { id: start, kind: 'start' as const, locale: this.locale }
    void this.#attempt((session) => this.api.send(session.token, body))
  }

  async #attempt<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T | null> {
    try {
      return await this.call(action)
    } catch (error) {
      this.report(error)
      return null
    }
  }

  #changed(): void {
    this.emit('change', undefined)
  }
}

/** Whether an entry is a reply to be read out or counted. */
export function isReply(entry: Entry): entry is AssistantEntry {
  return entry.role === 'assistant' && Boolean(entry.text || entry.files?.length)
}
