import { Api, outdated, passing, Refusal, Unreachable } from './api'
import { Outbox } from './outbox'
import type { AssistantEntry, Entry, EntryKind, Limits, RatingValue, SessionAnswer, StreamEvent, UserEntry } from './protocol'
import { type Remembered, uuid, Vault } from './session'
import { type Action, busy, EMPTY, reduce, snapshot, type State } from './store'
import { hold, type Link, type StreamOwner } from './stream'
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
/** An empty session is greeted when nothing has come by then. */
const GREETING_DELAY = 400
/** What is older was not said to somebody who begins here. */
const RECENT = 60

/** One visitor's conversation: everything but what it looks like. */
export class Conversation implements StreamOwner {
  state: State = EMPTY
  link: Link = 'idle'
  /** What the bot is told. */
  locale = navigator.language
  session: SessionAnswer | null = null
  readonly api: Api

  readonly #vault: Vault
  readonly #outbox: Outbox
  readonly #listeners = new Map<keyof ConversationEvents, Set<(detail: never) => void>>()
  readonly #viewers = new Set<object>()
  readonly #born = Date.now() / 1000
  #beginning: Promise<SessionAnswer> | null = null
  #identity: string | null = null
  #cursor = ''
  #tabs: Tabs | null = null
  #awake = false
  #hiddenSince = 0
  #blocked = false
  #away = false

  constructor(server: string) {
    this.api = new Api(server)
    this.#vault = new Vault(server)
    this.#outbox = new Outbox(this)
    this.#vault.watch(() => this.#elsewhere())
    document.addEventListener('visibilitychange', () => this.#visibility())
    addEventListener('online', () => this.#changed())
    addEventListener('offline', () => this.#changed())
    // A page in the back-forward cache must not hold the stream for the other tabs.
    addEventListener('pagehide', () => {
      this.#away = true
      this.#leave()
    })
    addEventListener('pageshow', () => {
      this.#away = false
      this.#settle()
    })
  }

  get limits(): Limits | null {
    return this.session?.limits ?? null
  }

  get remembered(): Remembered | null {
    return this.#vault.read()
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
    void this.begin().then(
      () => this.#greet(),
      (error: unknown) => this.report(error),
    )
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
    const seen = this.remembered?.seen ?? 0
    return this.state.messages.filter((one) => one.role === 'assistant' && one.seq > seen && (one.text || one.files))
      .length
  }

  /** What is shown was looked at. */
  seen(): void {
    const last = this.state.log.at(-1)?.seq ?? 0
    this.#remember((value) => (last > value.seen ? { ...value, seen: last } : value))
  }

  send(sending: Sending): void {
    this.#awake = true
    this.#remember((value) => ({ ...value, pending: true, start: '' }))
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

  /** Ends the reply where it is. */
  async stop(about: string): Promise<void> {
    const body = { id: uuid(), kind: 'stop' as const, about }
    await this.#attempt((session) => this.api.send(session.token, body))
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
    // Nothing that leads to a person's conversation stays behind where nobody is named.
    this.#vault.named = true
    if (token === null) this.#vault.forget()
    this.#vault.named = token !== null
    if (token === this.#identity) return
    this.#identity = token
    if (token === null) {
      // What was said before they were known goes with them.
      this.#vault.forget()
      this.#another()
    }
    this.session = null
    this.#beginning = null
    if (this.#awake) void this.begin().catch((error: unknown) => this.report(error))
  }

  dispatch(action: Action): void {
    const before = this.state
    this.state = reduce(before, action)
    if (this.state === before) return
    if (busy(before) !== busy(this.state) || before.outgoing.length !== this.state.outgoing.length) this.#settle()
    this.#changed()
  }

  /** Does something with the session; once more with another one when it is no longer good. */
  async call<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T> {
    const session = await this.begin()
    try {
      return await action(session)
    } catch (error) {
      if (!outdated(error)) throw error
      if (this.session === session) this.session = null
      return action(await this.begin(session.token))
    }
  }

  /** The session, begun or gone on with. `bad` is a token that the server does not take. */
  begin(bad = ''): Promise<SessionAnswer> {
    if (this.session && this.session.expires_at > Date.now() / 1000 + 5) return Promise.resolve(this.session)
    if (this.#beginning) return this.#beginning
    const beginning = exclusively(this.#lockName, () => this.#begin(bad)).finally(() => {
      if (this.#beginning === beginning) this.#beginning = null
    })
    this.#beginning = beginning
    return beginning
  }

  /** Tells the page, and in the console the developer. */
  report(error: unknown): void {
    const refusal = error instanceof Refusal ? error : null
    if (refusal?.code === 'origin_not_allowed') this.#blockedHere()
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

  get #lockName(): string {
    return `botkit ${this.api.server}`
  }

  async #begin(bad: string): Promise<SessionAnswer> {
    const before = this.remembered
    const body = {
      locale: this.locale,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(this.#identity ? { identity: this.#identity } : {}),
    }
    const token = before && before.token !== bad ? before.token : undefined
    let session: SessionAnswer
    try {
      session = await this.api.begin(body, token)
    } catch (error) {
      if (error instanceof Unreachable) await this.#perhapsBlocked()
      if (!token || !outdated(error)) throw error
      session = await this.api.begin(body)
    }
    this.#blocked = false
    this.#adopt(session, before)
    return session
  }

  #adopt(session: SessionAnswer, before: Remembered | null): void {
    const same = before?.session === session.session
    this.session = session
    this.#vault.write(
      same
        ? { ...before, token: session.token }
        : {
            session: session.session,
            token: session.token,
            epoch: '',
            pending: this.state.outgoing.length > 0,
            taken: 0,
            seen: 0,
            start: this.state.outgoing.length > 0 ? '' : uuid(),
          },
    )
    if (this.#tabs && this.#tabs.name !== this.#tabsName) this.#another()
    this.#settle()
    this.#changed()
  }

  get #tabsName(): string {
    return `${this.#lockName} ${this.session?.session ?? ''}`
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

  /** Another tab has begun another session, or is another person. */
  #elsewhere(): void {
    const now = this.remembered
    // A person who is named has one session, whatever other tabs do.
    if (this.#identity || !this.session || now?.session === this.session.session) return
    this.session = null
    if (now && this.#awake) void this.begin().catch((error: unknown) => this.report(error))
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
    if (this.#beginning || this.#blocked) return
    this.link = 'connecting'
    const again = (error: unknown): void => {
      this.link = this.#blocked || !passing(error) ? 'refused' : 'lost'
      this.#changed()
      if (passing(error)) setTimeout(() => this.#settle(), 3_000)
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
    this.dispatch(event)
    if (event.event === 'entry') this.#entered(event.entry)
    else if (event.event === 'reset') setTimeout(() => this.#greet(), GREETING_DELAY)
    else if (event.event === 'status' && !this.#outbox.busy)
      this.#remember((value) => ({ ...value, pending: event.status.state !== 'idle' }))
  }

  #moved(id: string): void {
    this.#cursor = id
    const epoch = id.split('.', 1)[0] ?? ''
    this.#remember((value) =>
      value.epoch === epoch ? value : { ...value, epoch, ...(value.epoch ? { taken: 0, seen: 0 } : {}) },
    )
  }

  #entered(entry: Entry): void {
    const before = this.remembered
    const known = before?.taken ?? 0
    const watching = this.watched && !document.hidden
    this.#remember((value) => ({
      ...value,
      taken: Math.max(entry.seq, value.taken),
      seen: watching ? Math.max(entry.seq, value.seen) : value.seen,
    }))
    if (entry.seq > known && (known > 0 || entry.at > this.#born - RECENT)) this.emit('message', entry)
  }

  /** Lets the bot speak first where nobody has said anything. */
  #greet(): void {
    const start = this.remembered?.start
    if (!start || !this.watched || this.state.log.length || this.state.outgoing.length) return
    this.#remember((value) => ({ ...value, start: '' }))
    const body = { id: start, kind: 'start' as const, locale: this.locale }
    void this.#attempt((session) => this.api.send(session.token, body))
  }

  #remember(change: (value: Remembered) => Remembered): void {
    const value = this.remembered
    if (!value || (this.session && this.session.session !== value.session)) return
    const next = change(value)
    if (JSON.stringify(next) !== JSON.stringify(value)) this.#vault.write(next)
  }

  async #attempt<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T | null> {
    try {
      return await this.call(action)
    } catch (error) {
      this.report(error)
      return null
    }
  }

  /** A browser hides the refusal of a foreign origin: then the server is there, but has no answer. */
  async #perhapsBlocked(): Promise<void> {
    if (!this.#blocked && navigator.onLine && (await this.api.there())) this.#blockedHere()
  }

  #blockedHere(): void {
    this.#blocked = true
    this.link = 'refused'
    this.#changed()
    console.error(
      `botkit: ${this.api.server} does not answer pages of ${location.origin}. ` +
        `Add this origin to the bot's settings: BOTKIT_WEB_ORIGINS=${location.origin} ` +
        `(several are separated by commas), and start the bot again.`,
    )
  }

  #changed(): void {
    this.emit('change', undefined)
  }
}

/** Whether an entry is a reply to be read out or counted. */
export function isReply(entry: Entry): entry is AssistantEntry {
  return entry.role === 'assistant' && Boolean(entry.text || entry.files?.length)
}

/** One tab at a time, so that two that are opened together begin one session. */
function exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(name, action) as Promise<T>) : action()
}
