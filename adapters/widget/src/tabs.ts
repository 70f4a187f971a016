import type { StreamEvent } from './protocol'
import type { Snapshot } from './store'
import type { Link } from './stream'

export type TabMessage =
  | { kind: 'event'; event: StreamEvent; id: string }
  | { kind: 'hello' }
  | { kind: 'snapshot'; snapshot: Snapshot; id: string }
  | { kind: 'link'; link: Link }
  | { kind: 'beat' }

/** The lock manager, where this page may use it: neither without HTTPS nor in a sandboxed frame. */
export function locks(): LockManager | null {
  return self.origin === 'null' ? null : (navigator.locks ?? null)
}

/** A tab that leads is heard at least with every ping of the server. */
const SILENCE = 45_000

/**
 * One tab of a session holds the stream and tells the others what comes.
 *
 * The lock says which: it is given on when a tab closes, and taken away from one that is frozen.
 * Where there are no locks, each tab holds a stream of its own.
 */
export class Tabs {
  readonly #channel: BroadcastChannel | null
  readonly #locks: LockManager | null
  #wanted = false
  #turn: AbortController | null = null
  #leads = false
  #heard = 0
  #watch: ReturnType<typeof setInterval> | undefined

  constructor(
    readonly name: string,
    private readonly lead: (signal: AbortSignal) => Promise<void>,
    private readonly hear: (message: TabMessage) => void,
  ) {
    this.#locks = locks()
    this.#channel = this.#locks && 'BroadcastChannel' in globalThis ? new BroadcastChannel(name) : null
    this.#channel?.addEventListener('message', (message: MessageEvent<TabMessage>) => {
      this.#heard = Date.now()
      if (this.#wanted || message.data.kind === 'hello') this.hear(message.data)
    })
  }

  get leads(): boolean {
    return this.#leads
  }

  want(wanted: boolean): void {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    clearInterval(this.#watch)
    if (!wanted) {
      this.#end()
      return
    }
    this.#heard = Date.now()
    this.#request(false)
    this.tell({ kind: 'hello' })
    this.#watch = setInterval(() => this.#check(), SILENCE / 3)
  }

  tell(message: TabMessage): void {
    this.#channel?.postMessage(message)
  }

  close(): void {
    this.want(false)
    this.#channel?.close()
  }

  #check(): void {
    if (this.#leads || document.hidden || Date.now() - this.#heard < SILENCE) return
    this.#end()
    this.#request(true)
  }

  #end(): void {
    this.#leads = false
    this.#turn?.abort()
  }

  #request(steal: boolean): void {
    const turn = new AbortController()
    this.#turn = turn
    const held = async (): Promise<void> => {
      if (turn.signal.aborted) return
      this.#leads = true
      await this.lead(turn.signal)
    }
    const asked = this.#locks
      ? this.#locks.request(this.name, steal ? { steal } : { signal: turn.signal }, held)
      : held()
    // It is rejected when another tab takes the lock away, and when it is no longer wanted.
    void Promise.resolve(asked)
      .catch(() => undefined)
      .then(() => {
        const taken = !turn.signal.aborted
        turn.abort()
        if (this.#turn !== turn) return
        this.#leads = false
        this.#turn = null
        this.#heard = Date.now()
        if (taken && this.#wanted && this.#locks) this.#request(false)
      })
  }
}
