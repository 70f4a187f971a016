import { final, Refusal } from './api'
import { type StreamEvent, streamEvent } from './protocol'
import { SseParser } from './sse'

export type Link = 'idle' | 'connecting' | 'open' | 'lost' | 'refused'

export interface StreamOwner {
  /** Asks for the stream from where it was left. */
  connect(signal: AbortSignal): Promise<Response>
  /** What the next connection goes on from. */
  cursor(): string
  take(event: StreamEvent, id: string): void
  linked(link: Link): void
  /** Something came, be it a ping. */
  alive(): void
  /** No use to try again; the stream has ended. */
  refused(error: unknown): void
}

/** The server pings every 15 s. */
const DEAD_AFTER = 40_000
const LONGEST_WAIT = 30_000

/** Holds one stream open until the signal is aborted, through whatever cuts it. */
export async function hold(owner: StreamOwner, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    let pause: number
    let asked = 0
    owner.linked('connecting')
    const began = Date.now()
    try {
      const { taken, bye } = await connection(owner, signal)
      failures = taken || Date.now() - began > 5_000 ? 0 : failures + 1
      pause = bye || failures === 0 ? 50 : backoff(failures)
    } catch (error) {
      if (signal.aborted) break
      if (final(error)) {
        owner.linked('refused')
        owner.refused(error)
        return
      }
      failures += 1
      pause = backoff(failures)
      asked = error instanceof Refusal ? error.retryAfter * 1000 : 0
    }
    if (signal.aborted) break
    owner.linked('lost')
    await (asked > 0 ? wait(asked, signal) : rest(pause, signal))
  }
  owner.linked('idle')
}

/** Reads one connection to its end, which is no error. */
async function connection(owner: StreamOwner, signal: AbortSignal): Promise<{ taken: boolean; bye: boolean }> {
  const cut = new AbortController()
  const stop = (): void => cut.abort()
  signal.addEventListener('abort', stop)
  let dead = setTimeout(stop, DEAD_AFTER)
  let taken = false
  let bye = false
  try {
    const response = await owner.connect(cut.signal)
    const reader = response.body?.getReader()
    if (!reader) return { taken, bye }
    owner.linked('open')
    const parser = new SseParser(owner.cursor())
    while (true) {
      const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }))
      if (done || signal.aborted) return { taken, bye }
      clearTimeout(dead)
      dead = setTimeout(stop, DEAD_AFTER)
      owner.alive()
      for (const { name, data, id } of parser.push(value)) {
        const event = streamEvent(name, data)
        // What came before may have had the page name somebody else.
        if (signal.aborted) return { taken, bye }
        if (event?.event === 'bye') bye = true
        else if (event) owner.take(event, id)
        // A status alone comes with every connection: it is no sign of progress.
        taken ||= event !== null && event.event !== 'status' && event.event !== 'reset'
      }
      if (bye) return { taken, bye }
    }
  } finally {
    clearTimeout(dead)
    signal.removeEventListener('abort', stop)
    cut.abort()
  }
}

export function backoff(failures: number): number {
  return Math.min(LONGEST_WAIT, 400 * 2 ** Math.min(failures, 8)) * (0.75 + Math.random() / 2)
}

/** Waits, or until the signal is aborted. */
export function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal?.addEventListener('abort', done)
  })
}

/** Waits, or until the network or the page comes back. */
export async function rest(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const early = new AbortController()
  const end = (): void => early.abort()
  const shown = (): void => {
    if (!document.hidden) end()
  }
  addEventListener('online', end)
  document.addEventListener('visibilitychange', shown)
  signal?.addEventListener('abort', end)
  await wait(milliseconds, early.signal)
  removeEventListener('online', end)
  document.removeEventListener('visibilitychange', shown)
  signal?.removeEventListener('abort', end)
}
