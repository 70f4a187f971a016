import { passing, Refusal } from './api'
import type { Conversation, Sending } from './conversation'
import type { FileInfo, OutgoingBody } from './protocol'
import { backoff, rest, wait } from './stream'
import type { Attachment } from './uploads'

interface Parcel {
  id: string
  sending: Sending
  failures: number
}

/** Sends one message after the other, as often as it takes; the server knows each by its id. */
export class Outbox {
  #queue: Parcel[] = []
  #refused = new Map<string, Parcel>()
  #turn = new AbortController()
  #running: AbortController | null = null

  constructor(private readonly conversation: Conversation) {}

  get busy(): boolean {
    return this.#queue.length > 0
  }

  add(id: string, sending: Sending): void {
    const { kind = 'message', text, attachments = [], replaces = '', shown = true } = sending
    this.conversation.dispatch({
      event: 'sending',
      message: {
        id,
        kind,
        text,
        files: infos(attachments),
        replaces,
        at: Date.now() / 1000,
        state: 'sending',
        reason: '',
        shown,
      },
    })
    this.#queue.push({ id, sending, failures: 0 })
    void this.#run()
  }

  /** Tries what was refused again, with the same id. */
  again(id: string): void {
    const parcel = this.#refused.get(id)
    if (!parcel) return
    this.#refused.delete(id)
    this.#progress(id, 'sending')
    this.#queue.push(parcel)
    void this.#run()
  }

  discard(id: string): void {
    this.#refused.delete(id)
    this.#queue = this.#queue.filter((one) => one.id !== id)
    this.conversation.dispatch({ event: 'discard', id })
  }

  /** What somebody wrote who has gone is not sent as the next one's. */
  clear(): void {
    this.#queue = []
    this.#refused.clear()
    this.#turn.abort()
    this.#turn = new AbortController()
  }

  async #run(): Promise<void> {
    const turn = this.#turn
    if (this.#running === turn) return
    this.#running = turn
    for (let parcel = this.#queue[0]; parcel && turn === this.#turn; parcel = this.#queue[0]) {
      try {
        await this.#deliver(parcel)
        this.#remove(parcel)
        if (parcel.sending.shown === false) this.conversation.dispatch({ event: 'discard', id: parcel.id })
        else this.#progress(parcel.id, 'sent', '', infos(parcel.sending.attachments ?? []))
      } catch (error) {
        await this.#failed(parcel, error, turn.signal)
      }
    }
    if (this.#running === turn) this.#running = null
  }

  async #deliver({ id, sending }: Parcel): Promise<void> {
    const { conversation } = this
    const attachments = sending.attachments ?? []
    await conversation.call(async (session) => {
      // A session that was begun anew does not have the files of the one before.
      for (const one of attachments)
        if (one.file && one.session !== session.session) {
          one.info = await conversation.api.upload(session.token, one.file)
          one.session = session.session
        }
      const usable = attachments.filter((one) => one.session === session.session)
      await conversation.api.send(session.token, body(id, sending, infos(usable), conversation.locale))
    })
  }

  async #failed(parcel: Parcel, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    parcel.failures += 1
    if (!passing(error)) {
      this.#remove(parcel)
      this.#refused.set(parcel.id, parcel)
      this.#progress(parcel.id, 'failed', error instanceof Refusal ? error.message : '')
      this.conversation.report(error)
      return
    }
    const asked = error instanceof Refusal ? error.retryAfter : 0
    this.#progress(parcel.id, 'waiting', asked ? String(asked) : '')
    await (asked ? wait(asked * 1000, signal) : rest(backoff(parcel.failures), signal))
    if (this.#queue.includes(parcel)) this.#progress(parcel.id, 'sending')
  }

  #remove(parcel: Parcel): void {
    this.#queue = this.#queue.filter((one) => one !== parcel)
  }

  #progress(id: string, state: 'sending' | 'waiting' | 'sent' | 'failed', reason = '', files?: FileInfo[]): void {
    this.conversation.dispatch({ event: 'progress', id, state, reason, ...(files ? { files } : {}) })
  }
}

function infos(attachments: readonly Attachment[]): FileInfo[] {
  return attachments.flatMap((one) => (one.info ? [one.info] : []))
}

function body(id: string, sending: Sending, files: readonly FileInfo[], locale: string): OutgoingBody {
  const { kind = 'message', text, replaces, name, value, about } = sending
  const all: OutgoingBody = { id, kind, text, locale }
  if (files.length) all.files = files.map((one) => one.id)
  if (replaces) all.replaces = replaces
  if (name) all.name = name
  if (value) all.value = value
  if (about) all.about = about
  if (kind === 'action') all.label = text
  // What is shown of a command is its name with a slash; its text would be what follows that.
  if (kind !== 'message') delete all.text
  return all
}
