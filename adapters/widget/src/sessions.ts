import { type Api, outdated, Refusal, Unreachable } from './api'
import type { SessionAnswer } from './protocol'
import type { Vault } from './session'
import { locks } from './tabs'

/** A session that ends so soon, in seconds, is not used any more. */
const MARGIN = 5

export interface SessionsOwner {
  readonly locale: string
  begun(session: SessionAnswer): void
}

/** The session: begun, gone on with, and begun anew when the server does not know it any more. */
export class Sessions {
  current: SessionAnswer | null = null
  /** Pages of this site may not ask. */
  blocked = false
  #beginning: Promise<SessionAnswer> | null = null
  #identity: string | null = null

  constructor(
    private readonly api: Api,
    private readonly vault: Vault,
    private readonly owner: SessionsOwner,
  ) {
    vault.watch(() => this.#elsewhere())
  }

  get beginning(): boolean {
    return this.#beginning !== null
  }

  /** Another person from here on; false where it is the same one. */
  identify(token: string | null): boolean {
    // Nothing that leads to a person's conversation stays behind where nobody is named.
    this.vault.named = true
    if (token === null) this.vault.forget()
    this.vault.named = token !== null
    if (token === this.#identity) return false
    this.#identity = token
    // What was said before they were known goes with them.
    if (token === null) this.vault.forget()
    this.current = null
    this.#beginning = null
    return true
  }

  /** @param bad A token that the server does not take. */
  begin(bad = ''): Promise<SessionAnswer> {
    if (this.current && this.current.expires_at > Date.now() / 1000 + MARGIN) return Promise.resolve(this.current)
    if (this.#beginning) return this.#beginning
    const beginning = exclusively(`botkit ${this.api.server}`, () => this.#begin(bad)).finally(() => {
      if (this.#beginning === beginning) this.#beginning = null
    })
    this.#beginning = beginning
    return beginning
  }

  /** Does something with the session; once more with another one when it is no longer good. */
  async call<T>(action: (session: SessionAnswer) => Promise<T>): Promise<T> {
    const session = await this.begin()
    try {
      return await action(session)
    } catch (error) {
      if (!outdated(error)) throw error
      if (this.current === session) this.current = null
      return action(await this.begin(session.token))
    }
  }

  /** Says in the console what a developer has to do. */
  block(): void {
    if (this.blocked) return
    this.blocked = true
    const { origin } = location
    console.error(
      self.origin === 'null'
        ? `botkit: a sandboxed frame has no origin, and no BOTKIT_WEB_ORIGINS lets it in; give it allow-same-origin.`
        : `botkit: ${this.api.server} does not answer pages of ${origin}. ` +
            `Add this origin to the bot's settings: BOTKIT_WEB_ORIGINS=${origin} ` +
            `(several are separated by commas), and start the bot again.`,
    )
  }

  async #begin(bad: string): Promise<SessionAnswer> {
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
      await this.#perhapsBlocked(error)
      if (!token || !outdated(error)) throw error
      session = await this.api.begin(body)
    }
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

  /** Another tab has begun another session. */
  #elsewhere(): void {
    const now = this.vault.read()
    // A person who is named has one session, whatever other tabs do.
    if (this.#identity || !this.current || now?.session === this.current.session) return
    this.current = null
    if (now) void this.begin().catch(() => undefined)
  }
}

/** One tab at a time, so that two that are opened together begin one session. */
function exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
  const manager = locks()
  return manager ? (manager.request(name, action) as Promise<T>) : action()
}
