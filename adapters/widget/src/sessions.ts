import { type Api, outdated, Refusal, Unreachable } from './api'
import type { SessionAnswer } from './protocol'
import type { Vault } from './session'
import { locks } from './tabs'

export interface SessionsOwner {
  readonly locale: string
  begun(session: SessionAnswer): void
  /** Somebody else from here on: nothing of the one before may stay. */
  left(): void
}

/** What was asked for somebody who is not there any more. */
export class Superseded extends Error {}

/** The session: begun, gone on with, and begun anew when the server does not know it any more. */
export class Sessions {
  current: SessionAnswer | null = null
  /** Pages of this site may not ask, as far as can be told. */
  blocked = false
  #hinted = false
  #beginning: Promise<SessionAnswer> | null = null
  #identity: string | null = null
  /** Aborted when somebody else is there. */
  #turn = new AbortController()

  constructor(
    private readonly api: Api,
    private readonly vault: Vault,
    private readonly owner: SessionsOwner,
  ) {
    vault.watch(() => this.elsewhere())
  }

  get beginning(): boolean {
    return this.#beginning !== null
  }

  /** Another person from here on, unless it is the same one. `here`: not because another tab says so. */
  identify(token: string | null, here = true): void {
    const before = this.#identity
    const another = person(token) !== person(before)
    // Nothing that leads to a person's conversation stays behind where they are not named.
    this.vault.named = true
    if (here && (token === null || (another && before !== null))) this.vault.forget()
    this.vault.named = token !== null
    if (token === before) return
    this.#identity = token
    // What was said before they were known goes with them.
    if (here && token === null) this.vault.forget()
    if (!another && this.current) return
    this.current = null
    this.#beginning = null
    this.#turn.abort()
    this.#turn = new AbortController()
    if (another) this.owner.left()
  }

  /** @param bad A token that the server does not take. */
  begin(bad = ''): Promise<SessionAnswer> {
    // Whether it is still good is the server's to say: clocks differ.
    if (this.current) return Promise.resolve(this.current)
    if (this.#beginning) return this.#beginning
    const { signal } = this.#turn
    const begin = (): Promise<SessionAnswer> => Promise.race([superseded(signal), this.#begin(bad, signal)])
    const beginning = exclusively(`botkit ${this.api.server}`, begin).finally(() => {
      if (this.#beginning === beginning) this.#beginning = null
    })
    this.#beginning = beginning
    return beginning
  }

  /** Does something with the session; once more with another one when it is no longer good. */
  async call<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T> {
    const { signal } = this.#turn
    const session = await this.begin()
    let answer: T
    try {
      standing(signal)
      answer = await action(session)
    } catch (error) {
      standing(signal)
      if (!outdated(error)) throw error
      if (this.current === session) this.current = null
      const next = await this.begin(session.token)
      standing(signal)
      answer = await action(next)
    }
    standing(signal)
    return answer
  }

  /** Says in the console what a developer has to do. */
  block(): void {
    this.blocked = true
    if (this.#hinted) return
    this.#hinted = true
    const { origin } = location
    console.error(
      self.origin === 'null'
        ? `botkit: a sandboxed frame has no origin, and no BOTKIT_WEB_ORIGINS lets it in; give it allow-same-origin.`
        : `botkit: ${this.api.server} does not answer pages of ${origin}. ` +
            `Add this origin to the bot's settings: BOTKIT_WEB_ORIGINS=${origin} ` +
            `(several are separated by commas), and start the bot again.`,
    )
  }

  async #begin(bad: string, signal: AbortSignal): Promise<SessionAnswer> {
    standing(signal)
    const token = this.vault.read()?.token
    const body = {
      locale: this.owner.locale,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(this.#identity ? { identity: this.#identity } : {}),
    }
    let session: SessionAnswer
    try {
      session = await this.api.begin(body, token === bad ? undefined : token)
    } catch (error) {
      standing(signal)
      await this.#perhapsBlocked(error)
      standing(signal)
      if (!token || !outdated(error)) throw error
      session = await this.api.begin(body)
    }
    // An answer to somebody who has gone is nobody's.
    standing(signal)
    this.blocked = false
    this.current = session
    this.owner.begun(session)
    return session
  }

  /** A browser hides the refusal of a foreign origin: then the server is there, but has no answer. */
  async #perhapsBlocked(error: unknown): Promise<void> {
    if (error instanceof Refusal && error.code === 'origin_not_allowed') this.block()
    else if (error instanceof Unreachable && !this.blocked && navigator.onLine && (await this.api.there())) this.block()
  }

  /** Another tab may have begun another session, or a person may have gone there. */
  elsewhere(): void {
    const now = this.vault.read()
    if (!this.current || now?.session === this.current.session) return
    if (this.#identity) {
      // A person who is named has one session, whatever other tabs do.
      if (!now) this.identify(null, false)
      return
    }
    this.current = null
    if (now) void this.begin().catch(() => undefined)
  }
}

/** One tab at a time, so that two that are opened together begin one session. */
function exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
  const manager = locks()
  return manager ? (manager.request(name, action) as Promise<T>) : action()
}

/** Who a token is about, as far as it says; the server is who believes it. */
function person(token: string | null): string | null {
  try {
    const { sub } = JSON.parse(atob((token?.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'))) as { sub?: unknown }
    if (typeof sub === 'string') return `sub ${sub}`
  } catch {
    // Not a token that this page can read.
  }
  return token
}

function standing(signal: AbortSignal): void {
  if (signal.aborted) throw new Superseded()
}

function superseded(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Superseded())))
}
