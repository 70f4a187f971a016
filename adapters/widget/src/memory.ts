import type { Entry, SessionAnswer } from './protocol'
import { type Remembered, uuid, type Vault } from './session'
import type { Message } from './store'

/** What is known of a session from one page to the next: how far it was taken, and seen. */
export class Memory {
  /** What was there already has come, and what comes now is new. */
  live = false
  #session = ''
  /** Of this page: another tab may have taken an entry before this one. */
  #taken = 0

  constructor(private readonly vault: Vault) {}

  get value(): Remembered | null {
    return this.vault.read()
  }

  /** @param speaking Something is about to be said: then the bot need not speak first. */
  begun({ session, token }: SessionAnswer, speaking: boolean): void {
    const before = this.value
    const fresh = { session, token, epoch: '', pending: speaking, taken: 0, seen: 0, start: speaking ? '' : uuid() }
    const now = before?.session === session ? { ...before, token } : fresh
    if (session !== this.#session) {
      this.#taken = now.taken
      this.live = false
    }
    this.#session = session
    this.vault.write(now)
  }

  /** Where the stream is: numbers begin anew with an epoch, when what was said was erased. */
  moved(cursor: string): void {
    const epoch = cursor.split('.', 1)[0] ?? ''
    const before = this.value
    if (!before || before.epoch === epoch) return
    if (before.epoch) this.#taken = 0
    this.change({ epoch, ...(before.epoch ? { taken: 0, seen: 0 } : {}) })
  }

  /** Whether an entry is one that was not there before. */
  entered(entry: Entry, seen: boolean): boolean {
    const known = this.#taken
    this.#taken = Math.max(known, entry.seq)
    this.change({ taken: Math.max(this.value?.taken ?? 0, entry.seq) })
    if (seen) this.seen(entry.seq)
    return entry.seq > known && (known > 0 || this.live)
  }

  seen(seq: number): void {
    if (seq > (this.value?.seen ?? 0)) this.change({ seen: seq })
  }

  unread(messages: readonly Message[]): number {
    const seen = this.value?.seen ?? 0
    return messages.filter((one) => one.role === 'assistant' && one.seq > seen && (one.text || one.files)).length
  }

  change(values: Partial<Remembered>): void {
    const before = this.value
    if (!before || (this.#session && this.#session !== before.session)) return
    const changed = Object.entries(values).some(([name, value]) => before[name as keyof Remembered] !== value)
    if (changed) this.vault.write({ ...before, ...values })
  }
}
