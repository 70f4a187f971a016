import type { Entry, OutgoingBody, SessionAnswer } from '../../adapters/widget/src/protocol'

/** The server's side of PROTOCOL.md in memory, put in the place of `fetch`. Strict: what is not there is 404. */
export class FakeServer {
  readonly requests: { method: string; path: string; token: string; body: unknown; lastId: string }[] = []
  readonly messages: OutgoingBody[] = []
  readonly files: string[] = []
  /** Answers that are given before the real ones, by method and path. */
  readonly next = new Map<string, (() => Response | Promise<Response>)[]>()
  sessions = 0
  streams: ReadableStreamDefaultController<Uint8Array>[] = []
  /** What a stream begins with. */
  beginning = [event('reset', {}, '1.0..0'), event('status', { state: 'idle' })]
  #valid = new Set<string>()

  fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input))
    const method = init.method ?? 'GET'
    const headers = new Headers(init.headers)
    const token = headers.get('authorization')?.replace('Bearer ', '') ?? ''
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : init.body
    const path = url.pathname
    this.requests.push({ method, path: path + url.search, token, body, lastId: headers.get('last-event-id') ?? '' })
    const planned = this.next.get(`${method} ${path}`)?.shift()
    if (planned) return planned()
    if (path === '/widget.js') return new Response('')
    if (path === '/web/sessions') return this.#session(token)
    if (!this.#valid.has(token)) return refusal(401, 'session_expired')
    if (path === '/web/stream') return this.#stream(init.signal ?? null)
    if (path === '/web/messages' && method === 'POST') {
      const said = body as OutgoingBody
      if (!this.messages.some((one) => one.id === said.id)) this.messages.push(said)
      return json(202, { id: said.id, seq: this.messages.length })
    }
    if (path === '/web/feedback') return json(202, {})
    if (path === '/web/files') {
      const id = `f_${this.files.push(token)}`
      return json(201, { id, name: url.searchParams.get('name'), type: 'image/png', size: 1, url: `/web/files/${id}` })
    }
    return refusal(404, 'not_found')
  }

  /** Answers one request so. */
  plan(route: string, ...answers: (() => Response | Promise<Response>)[]): void {
    this.next.set(route, [...(this.next.get(route) ?? []), ...answers])
  }

  expire(): void {
    this.#valid.clear()
  }

  say(text: string): void {
    const bytes = new TextEncoder().encode(text)
    for (const stream of this.streams) stream.enqueue(bytes)
  }

  cut(): void {
    for (const stream of this.streams.splice(0)) stream.error(new TypeError('network error'))
  }

  count(route: string): number {
    return this.requests.filter((one) => `${one.method} ${one.path}`.startsWith(route)).length
  }

  #session(token: string): Response {
    if (token && !this.#valid.has(token)) return refusal(401, 'invalid_token')
    if (!token) this.sessions += 1
    const next = `token ${this.sessions} ${this.requests.length}`
    this.#valid.add(next)
    const answer: SessionAnswer = {
      session: `s_${this.sessions}`,
      token: next,
      expires_at: Date.now() / 1000 + 3600,
      identified: false,
      bot: { commands: [], human: false },
      limits: { text: 100, file_bytes: 100, files: 2, file_types: ['image/png'] },
    }
    return json(200, answer)
  }

  #stream(signal: AbortSignal | null): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.streams.push(controller)
        for (const one of this.beginning) controller.enqueue(new TextEncoder().encode(one))
        signal?.addEventListener('abort', () => {
          const at = this.streams.indexOf(controller)
          if (at < 0) return
          this.streams.splice(at, 1)
          controller.error(new DOMException('aborted', 'AbortError'))
        })
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
}

export function event(name: string, data: object, id = ''): string {
  return `event: ${name}\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(data)}\n\n`
}

export function entry(value: Partial<Entry> & { seq: number; id: string }): string {
  return event('entry', { at: Date.now() / 1000, ...value }, `1.${value.seq}..0`)
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json', ...headers } })
}

export function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  return json(status, { error: { message: `No: ${code}.`, code } }, headers)
}

export function unreachable(): never {
  throw new TypeError('Failed to fetch')
}
